"""An OpenID provider whose answers are right except for the lies of a test, to see what a client accepts."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.support.wire.loopback import Asked, LoopbackServer, Reply, running_server
from tests.support.world.tokens import ABSENT, Members, SigningPair, encode, jwks, make_pair

JSON = {"Content-Type": "application/json"}
CLIENT_ID = "web-client"


@dataclass
class LyingServer:
    """The provider. Each lie changes members of a right answer; `ABSENT` leaves one out. It shows no pages."""

    server: LoopbackServer
    pair: SigningPair = field(default_factory=lambda: make_pair("k", "ES256"))
    metadata: Members = field(default_factory=dict)
    answer: Members = field(default_factory=dict)
    claims: Members = field(default_factory=dict)
    tokens: Members = field(default_factory=dict)
    person: Members = field(default_factory=dict)
    signing: SigningPair | None = None
    """The key that signs ID tokens, if it is not the published one."""
    asked_for: list[dict[str, str]] = field(default_factory=list)
    """The forms that the token endpoint received."""
    nonce: str = ""

    @property
    def url(self) -> str:
        return self.server.url

    def reply(self, asked: Asked) -> Reply:
        path, query = urlsplit(asked.path).path, dict(parse_qsl(urlsplit(asked.path).query))
        match path:
            case "/.well-known/openid-configuration":
                return Reply(encode(self._metadata() | self.metadata), headers=JSON)
            case "/jwks.json":
                return Reply(jwks(self.pair), headers=JSON)
            case "/authorize":
                return self._redirect(query)
            case "/token":
                self.asked_for.append(dict(parse_qsl(asked.body.decode())))
                return Reply(encode(self._tokens() | self.tokens), headers=JSON)
            case _:
                person = {"sub": "user-1", "name": "Ada", "email": "ada@example.test", **self.person}
                return Reply(json.dumps(person).encode(), headers=JSON)

    def _metadata(self) -> Members:
        endpoints = {name: f"{self.url}/{name.split('_')[0]}" for name in ("token_endpoint", "userinfo_endpoint")}
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "jwks_uri": f"{self.url}/jwks.json",
            "id_token_signing_alg_values_supported": ["ES256"],
            **endpoints,
        }

    def _redirect(self, query: dict[str, str]) -> Reply:
        self.nonce = query["nonce"]
        said: Members = {"code": "a code", "state": query["state"], "iss": self.url, **self.answer}
        answer = urlencode({name: value for name, value in said.items() if value is not ABSENT})
        return Reply(status=303, headers={"Location": f"{query['redirect_uri']}?{answer}"})

    def _tokens(self) -> Members:
        return {
            "access_token": "an access token",
            "token_type": "Bearer",
            "expires_in": 300,
            "refresh_token": "a refresh token",
            "id_token": (self.signing or self.pair).token(self._claims() | self.claims, typ="JWT"),
        }

    def _claims(self) -> Members:
        now = int(time.time())
        about = {"iss": self.url, "sub": "user-1", "aud": CLIENT_ID, "nonce": self.nonce}
        return {**about, "iat": now, "exp": now + 300}


@contextmanager
def running_lying_server() -> Iterator[LyingServer]:
    """Run a lying provider during the block."""
    with running_server() as server:
        liar = LyingServer(server)
        server.answer = liar.reply
        yield liar
