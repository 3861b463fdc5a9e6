"""A Flask resource server: `/` for everybody, `/me` with a token."""

from flask import Flask, g

from authserver.verifier.flask import FlaskVerifier
from tests.support.wire.guards.settings import make_verifier

app = Flask(__name__)
auth = FlaskVerifier(make_verifier(), app)


@app.get("/")
def hello() -> str:
    return "hello"


@app.get("/me")
@auth.require_token()
def me() -> dict[str, str]:
    return {"sub": g.token.sub}
