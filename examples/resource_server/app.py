"""A resource server with Flask. One route is open; the other needs an access token with a scope."""

import os
import socket
import sys

from flask import Flask, g

from authserver.verifier import AccessTokenClaims, ClientToken, UserToken, Verifier
from authserver.verifier.flask import FlaskVerifier

ISSUER = os.environ.get("AUTHSERVER_ISSUER", "http://127.0.0.1:8000").rstrip("/")
AUDIENCE = os.environ.get("AUTHSERVER_DEFAULT_AUDIENCE", f"{ISSUER}/api")

app = Flask(__name__)
verifier = Verifier(ISSUER, AUDIENCE, os.environ.get("CLIENT_ID"), os.environ.get("CLIENT_SECRET"))
auth = FlaskVerifier(verifier, app)


@app.get("/")
def open_to_all() -> dict[str, str]:
    """Open to everybody."""
    return {"message": "Hello. This route needs no token; /me does."}


@app.get("/me")
@auth.require_token(scope="profile")
def only_with_a_token() -> dict[str, object]:
    """Needs an access token with scope `profile`; its claims are in `g.token`."""
    token: AccessTokenClaims = g.token
    match token:
        case UserToken():
            return {"user": token.sub, "session": token.sid, "token_version": token.token_version}
        case ClientToken():
            return {"client": token.sub}


def main() -> None:
    """Serve on loopback until interrupted; `PORT` changes the port."""
    port = int(os.environ.get("PORT", "8001"))
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        sys.exit(f"resource server: cannot listen on 127.0.0.1:{port}: {reason}. Set PORT to another one.")
    app.run(port=port)


if __name__ == "__main__":
    main()
