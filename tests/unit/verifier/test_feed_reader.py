"""One poll of the feed: what is asked, what is believed, and from when on it counts."""

import json
import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from authserver.protocol.revocation_feed import InvalidFeedError, TokenEntry, UnknownFeedError, read_page, write_page
from authserver.verifier.feed_reader import SNAPSHOT_INTERVAL, FeedReader, FeedSource
from authserver.verifier.fetch import Call, Fetched, FetchError, write_basic
from tests.support.clock import ManualClock
from tests.support.feeds import WINDOW, Feed, claims, user
from tests.support.tokens import ISSUER, NOW

URI = f"{ISSUER}/oauth/revocations"


class Issuer:
    """Answers calls from a feed, and can be made to answer anything else."""

    def __init__(self) -> None:
        self.feed = Feed()
        self.calls: list[Call] = []
        self.instead: Callable[[], Fetched] | None = None
        self.etag: str | None = '"1"'
        self.age = 0

    def __call__(self, call: Call) -> Fetched:
        self.calls.append(call)
        if self.instead is not None:
            return self.instead()
        if call.etag is not None and call.etag == self.etag:
            return Fetched(b"", None, self.age, self.etag, modified=False)
        return Fetched(self.feed.answer(call.url.partition("?cursor=")[2]), None, self.age, self.etag)

    @property
    def asked(self) -> list[str]:
        return [call.url.removeprefix(URI) for call in self.calls]


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def reader(issuer: Issuer, clock: ManualClock) -> FeedReader:
    source = FeedSource(URI, ISSUER, write_basic("rs", "s:e cret"))
    return FeedReader(source, leeway=30, clock=clock, ask=issuer)


def refuses(reader: FeedReader) -> bool:
    return reader.state.check(claims(), "k") is not None


def test_the_first_poll_asks_for_everything_and_the_next_for_what_is_new(reader: FeedReader, issuer: Issuer) -> None:
    issuer.feed.add(user("user-2", 5))
    reader.poll()
    issuer.feed.add(user(version=4))
    issuer.etag = '"2"'
    reader.poll()
    assert refuses(reader)
    assert issuer.asked == ["", "?cursor=1.c"]


def test_an_entity_tag_goes_with_the_url_that_it_came_with(reader: FeedReader, issuer: Issuer) -> None:
    """Contract §5: else a 304 could stand for a page that was never read."""
    for _ in range(3):
        reader.poll()
    assert [call.etag for call in issuer.calls] == [None, None, '"1"']
    issuer.feed.add(user(version=4))
    issuer.etag = '"2"'
    reader.poll()
    assert refuses(reader)
    assert issuer.calls[-1].etag == '"1"'


def test_a_server_without_entity_tags_is_asked_without(reader: FeedReader, issuer: Issuer) -> None:
    issuer.etag = None
    for _ in range(3):
        reader.poll()
    assert [call.etag for call in issuer.calls] == [None, None, None]


def test_it_says_who_it_is_and_nothing_shows_the_secret(reader: FeedReader, issuer: Issuer) -> None:
    """RFC 6749 §2.3.1."""
    reader.poll()
    assert issuer.calls[0].headers["Authorization"] == "Basic cnM6cyUzQWUlMjBjcmV0"
    assert "Basic" not in repr(issuer.calls[0])


def test_what_is_known_counts_from_the_start_of_the_request_less_its_age(
    reader: FeedReader, issuer: Issuer, clock: ManualClock
) -> None:
    """Design §6, also for a 304."""
    assert reader.fresh_since == -math.inf
    issuer.age = 3
    began = clock.monotonic()

    def slowly() -> Fetched:
        clock.advance(timedelta(seconds=2))
        return Fetched(issuer.feed.answer(""), None, issuer.age, None)

    issuer.instead = slowly
    reader.poll()
    assert reader.fresh_since == began - 3
    issuer.instead = None
    for _ in range(2):
        clock.advance(timedelta(seconds=1))
        reader.poll()
        assert reader.fresh_since == clock.monotonic() - 3
    assert issuer.calls[-1].etag is not None


def failing(error: Exception) -> Callable[[], Fetched]:
    def fail() -> Fetched:
        raise error

    return fail


def saying(body: bytes | dict[str, Any]) -> Callable[[], Fetched]:
    return lambda: Fetched(body if isinstance(body, bytes) else json.dumps(body).encode(), None)


def page(**changes: object) -> dict[str, object]:
    return {**write_page(Feed().page(reset=True)), **changes}


Json = dict[str, Any] | bytes
BROKEN: list[Json] = [
    b"",
    b"<html>",
    b"[" * 100_000,
    b"null",
    b"\xff",
    {},
    page(issuer="https://other.example"),
    page(window="390"),
    page(window=-1),
    page(window=2**60),
    page(cursor=None),
    page(reset=1),
    page(entries={}),
    page(entries=[None]),
    page(entries=[{"kind": "token"}]),
    page(entries=[{"kind": "token", "jti": 1, "at": 1}]),
    page(entries=[{"kind": "token", "jti": "a", "at": 1.5}]),
    page(
        entries=[{"kind": "user", "sub": "a", "token_version": True, "locked": 0, "soft_logout": 0, "rev": 1, "at": 1}]
    ),
]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_page_changes_nothing(reader: FeedReader, issuer: Issuer, clock: ManualClock, body: Json) -> None:
    issuer.feed.add(user(version=4))
    reader.poll()
    fresh_since = reader.fresh_since
    clock.advance(timedelta(seconds=1))
    issuer.instead = saying(body)
    with pytest.raises(InvalidFeedError):
        reader.poll()
    assert refuses(reader)
    assert reader.fresh_since == fresh_since
    issuer.instead = None
    reader.poll()
    assert reader.fresh_since == clock.monotonic()
    assert issuer.asked == ["", "?cursor=1.c", "?cursor=1.c"]


@pytest.mark.parametrize("body", [page(format=2), page(format=0), page(entries=[{"kind": "device", "at": 1}])])
def test_a_feed_that_says_more_than_is_understood_is_not_trusted(
    reader: FeedReader, issuer: Issuer, body: dict[str, Any]
) -> None:
    """Contract §5: fails closed at once, and heals when the feed is understood again."""
    reader.poll()
    issuer.instead = saying(body)
    with pytest.raises(UnknownFeedError):
        reader.poll()
    assert reader.fresh_since == -math.inf
    issuer.instead = None
    reader.poll()
    assert reader.fresh_since > 0


@pytest.mark.parametrize(
    ("status", "starts_anew"), [(400, True), (414, True), (401, False), (429, False), (500, False)]
)
def test_a_cursor_that_the_server_cannot_use_is_dropped(
    reader: FeedReader,
    issuer: Issuer,
    status: int,
    starts_anew: bool,  # noqa: FBT001 - a table
) -> None:
    reader.poll()
    issuer.instead = failing(FetchError("no", status))
    with pytest.raises(FetchError):
        reader.poll()
    issuer.instead = None
    reader.poll()
    assert issuer.asked[-1] == ("" if starts_anew else "?cursor=0.c")


def test_everything_is_read_anew_now_and_then(reader: FeedReader, issuer: Issuer, clock: ManualClock) -> None:
    """So that a difference between reader and server, however it came about, does not last."""
    reader.poll()
    clock.advance(timedelta(seconds=SNAPSHOT_INTERVAL - 1))
    reader.poll()
    clock.advance(timedelta(seconds=1))
    reader.poll()
    reader.poll()
    assert issuer.asked == ["", "?cursor=0.c", "", "?cursor=0.c"]


def test_what_condemns_nothing_any_more_is_forgotten(reader: FeedReader, issuer: Issuer, clock: ManualClock) -> None:
    """A quiet feed, too: its answers are all 304."""
    issuer.feed.add(TokenEntry("token-1", NOW))
    reader.poll()
    reader.poll()
    clock.advance(timedelta(seconds=WINDOW))
    reader.poll()
    assert len(reader.state) == 1
    clock.advance(timedelta(seconds=60))
    reader.poll()
    assert len(reader.state) == 0


def test_an_old_snapshot_takes_nothing_away(reader: FeedReader, issuer: Issuer) -> None:
    """A replica or a cache that lags: what is known stays, and the cursor finds its way back."""
    issuer.feed.add(user(version=2))
    old = issuer.feed.answer("")
    issuer.feed.add(user(version=4))
    reader.poll()
    issuer.instead = lambda: Fetched(old, None)
    reader.poll()
    assert refuses(reader)
    issuer.instead = None
    reader.poll()
    assert issuer.asked[-1] == "?cursor=1.c"
    assert refuses(reader)


def test_the_cursor_is_the_servers_whatever_is_in_it(reader: FeedReader, issuer: Issuer) -> None:
    issuer.instead = saying(page(cursor="a&b=c #é"))
    reader.poll()
    issuer.instead = None
    reader.poll()
    assert issuer.asked[-1] == "?cursor=a%26b%3Dc%20%23%C3%A9"


def test_what_is_written_is_read_back() -> None:
    feed = Feed()
    feed.add(user(), TokenEntry("t", NOW))
    assert read_page(json.loads(feed.write(feed.page()))) == feed.page()
