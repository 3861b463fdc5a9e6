"""A verifier that follows the feed of a test `Issuer`.

The verifier's clock is moved by hand. The polling thread runs in real time, with a short interval.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from authserver.verifier import InvalidToken, Verifier
from authserver.verifier.feed_reader import FeedSource
from authserver.verifier.fetch import write_basic
from authserver.verifier.follower import FeedFollower, WhenStale
from authserver.verifier.introspection import Introspector
from tests.support.wire.loopback import Asked, Reply
from tests.support.world.clock import ManualClock
from tests.support.world.issuer import CLIENT_ID, CLIENT_SECRET, Issuer
from tests.support.world.processes import wait_until
from tests.support.world.tokens import AUDIENCE, make_pair

PAIR = make_pair("k", "ES256")
"""The key pair with which the issuer signs."""

Make = Callable[..., Verifier]


def make_verifier(
    issuer: Issuer,
    clock: ManualClock,
    when_stale: WhenStale = "refuse",
    **settings: Any,  # noqa: ANN401 - of the follower
) -> Verifier:
    """Build what `Verifier` builds with credentials, but with a clock that is moved by hand."""
    credentials = write_basic(CLIENT_ID, CLIENT_SECRET)
    introspector = None
    if when_stale == "introspect":
        introspector = Introspector(f"{issuer.url}/oauth/introspect", credentials, clock=clock)
    source = FeedSource(f"{issuer.url}/oauth/revocations", issuer.url, credentials)
    tuned = {"poll_interval": 0.02, "patience": 5, "clock": clock, **settings}
    follower = FeedFollower(source, leeway=30, when_stale=when_stale, introspector=introspector, **tuned)
    return Verifier(issuer.url, AUDIENCE, revocations=follower, clock=clock)


def code_of(verifier: Verifier, token: str) -> str | None:
    try:
        verifier.verify(token)
    except InvalidToken as refused:
        return refused.code
    return None


def becomes(verifier: Verifier, token: str, code: str | None) -> None:
    """Wait until `verify` gives this result."""
    wait_until(lambda: code_of(verifier, token) == code, f"the answer {code}")


def settle(issuer: Issuer, polls: int = 2) -> None:
    """Wait for this number of further polls; the first of them may already have been answered."""
    seen = len(issuer.polls)
    wait_until(lambda: len(issuer.polls) >= seen + polls, "a poll")


def down(_asked: Asked) -> Reply:
    return Reply(status=503)


def saying(body: bytes) -> Callable[[Asked], Reply]:
    return lambda _: Reply(body)


def saying_status(status: int) -> Callable[[Asked], Reply]:
    return lambda _: Reply(status=status)


def changed(issuer: Issuer, members: dict[str, object]) -> Callable[[Asked], Reply]:
    page = json.loads(issuer.feed.answer(""))
    return saying(json.dumps({**page, **members}).encode())


@contextmanager
def partition(issuer: Issuer) -> Iterator[None]:
    issuer.trouble = down
    settle(issuer)
    yield
    issuer.trouble = None
