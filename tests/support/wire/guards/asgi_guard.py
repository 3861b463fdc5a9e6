"""An ASGI resource server: `/` for everybody, everything else with a token."""

import json

from authserver.verifier.asgi import Send, TokenMiddleware
from authserver.verifier.asgi_body import Message, Receive, Scope
from tests.support.wire.guards.settings import make_verifier


async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
    """Say who asks."""
    if scope["type"] != "http":
        return
    token = scope.get("state", {}).get("token")
    body = json.dumps({"sub": None if token is None else token.sub}).encode()
    start: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


app = TokenMiddleware(answer, verifier=make_verifier(), open_paths={"/"})
