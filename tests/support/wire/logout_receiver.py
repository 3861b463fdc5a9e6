"""A client's back-channel logout endpoint over real sockets, which checks logout tokens with another JOSE library."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import KeySet

from authserver.protocol.claims import LOGOUT_EVENT
from tests.support.wire.loopback import Asked, LoopbackServer, Reply, running_server


@dataclass
class LogoutReceiver:
    """What a client was sent. `statuses` are its next answers; after them, it answers 200."""

    server: LoopbackServer
    statuses: list[int] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """The tokens that were answered with 200."""

    @property
    def uri(self) -> str:
        return f"{self.server.url}/logout?by=the-server"

    def take(self, request: Asked) -> Reply:
        """Take one request, which must be as Back-Channel Logout §2.5 says."""
        assert (request.method, request.path) == ("POST", "/logout?by=the-server")
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        form = parse_qs(request.body.decode(), strict_parsing=True)
        assert form.keys() == {"logout_token"}
        (token,) = form["logout_token"]
        self.tokens.append(token)
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.told.append(token)
        return Reply(b"", status, {"Cache-Control": "no-store"})


@contextmanager
def running_receiver(port: int = 0) -> Iterator[LogoutReceiver]:
    """A receiver that runs inside the block; at a port that is free, or at this one."""
    with running_server(port=port) as server:
        receiver = LogoutReceiver(server)
        server.answer = receiver.take
        yield receiver


def check_logout_token(token: str, jwks: bytes, *, issuer: str, client_id: str, now: float) -> dict[str, Any]:
    """The claims of a token that is as Back-Channel Logout §2.4 and §2.6 say, by joserfc and the public keys."""
    keys = KeySet.import_key_set(json.loads(jwks))
    read = jwt.decode(token, keys, algorithms=["ES256", "RS256", "EdDSA"])
    assert read.header["typ"] == "logout+jwt"
    claims: dict[str, Any] = read.claims
    assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "jti", "sid", "events"}
    assert (claims["iss"], claims["aud"]) == (issuer, client_id)
    assert claims["events"] == {LOGOUT_EVENT: {}}
    assert claims["iat"] <= now < claims["exp"] <= claims["iat"] + 120
    return claims
