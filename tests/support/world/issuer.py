"""An issuer on a real socket, as resource servers use it: keys, revocation feed, introspection."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qs, urlsplit

from tests.support.wire.loopback import Asked, LoopbackServer, Reply, running_server
from tests.support.world.feeds import Feed
from tests.support.world.tokens import SigningPair, jwks, user_claims

CLIENT_ID, CLIENT_SECRET = "resource-server", "its secret"
_BASIC = "Basic cmVzb3VyY2Utc2VydmVyOml0cyUyMHNlY3JldA=="


@dataclass
class Issuer:
    """A running issuer. `trouble`, if set, answers instead of the feed; where it returns None, the feed answers."""

    server: LoopbackServer
    pair: SigningPair
    feed: Feed
    trouble: Callable[[Asked], Reply | None] | None = None
    active: bool | None = True
    """The `active` of introspection answers; None: it fails with 500."""
    seconds: Callable[[], float] = time.time
    """The issuer's clock."""
    polls: list[Asked] = field(default_factory=list)
    introspected: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url

    def token(self, **changes: object) -> str:
        return self.pair.token(user_claims(iss=self.url, **changes))

    def answer(self, asked: Asked) -> Reply:
        path = urlsplit(asked.path).path
        if path == "/.well-known/jwks.json":
            return Reply(jwks(self.pair))
        if asked.headers.get("authorization") != _BASIC:
            return Reply(status=401)
        if path == "/oauth/introspect":
            return self._introspect(asked)
        if path == "/oauth/revocations":
            self.polls.append(asked)
            return (self.trouble(asked) if self.trouble is not None else None) or self.page(asked)
        return Reply(status=404)

    def page(self, asked: Asked) -> Reply:
        """Answer with the requested page or 304, and the present time."""
        self.feed.now = int(self.seconds())
        date = formatdate(self.feed.now, usegmt=True)
        cursor = parse_qs(urlsplit(asked.path).query).get("cursor", [""])[0]
        etag = f'"{len(self.feed.entries)}-{cursor}"'
        if asked.headers.get("if-none-match") == etag:
            return Reply(status=304, headers={"ETag": etag, "Date": date})
        return Reply(self.feed.answer(cursor), headers={"ETag": etag, "Date": date})

    def _introspect(self, asked: Asked) -> Reply:
        self.introspected += parse_qs(asked.body.decode())["token"]
        return Reply(status=500) if self.active is None else Reply(json.dumps({"active": self.active}).encode())


@contextmanager
def running_issuer(pair: SigningPair) -> Iterator[Issuer]:
    """Run an issuer during the block; it signs with `pair`."""
    with running_server() as server:
        issuer = Issuer(server, pair, Feed(issuer=server.url))
        server.answer = issuer.answer
        yield issuer
