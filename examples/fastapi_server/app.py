"""A resource server with FastAPI. One route is open; the other needs an access token with a scope."""

import os
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI

from authserver.verifier import AccessTokenClaims, ClientToken, UserToken, Verifier
from authserver.verifier.asgi import TokenMiddleware, require_token

ISSUER = os.environ.get("AUTHSERVER_ISSUER", "http://127.0.0.1:8000").rstrip("/")
AUDIENCE = os.environ.get("AUTHSERVER_DEFAULT_AUDIENCE", f"{ISSUER}/api")

app = FastAPI()
verifier = Verifier(ISSUER, AUDIENCE, os.environ.get("CLIENT_ID"), os.environ.get("CLIENT_SECRET"))
app.add_middleware(TokenMiddleware, verifier=verifier, guard="routes")


@app.get("/")
async def open_to_all() -> dict[str, str]:
    """Open to everybody."""
    return {"message": "Hello. This route needs no token; /me does."}


@app.get("/me")
async def only_with_a_token(
    token: Annotated[AccessTokenClaims, Depends(require_token(scope="profile"))],
) -> dict[str, object]:
    """Needs an access token with scope `profile`."""
    match token:
        case UserToken():
            return {"user": token.sub, "session": token.sid, "token_version": token.token_version}
        case ClientToken():
            return {"client": token.sub}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8002")))
