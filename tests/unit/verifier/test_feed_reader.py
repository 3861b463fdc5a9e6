"""One poll of the feed: what is asked, what is believed, and from when on it counts."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from authserver.clock import NEVER, Reading
from authserver.protocol.revocation_feed import InvalidFeedError, TokenEntry, UnknownFeedError, read_page, write_page
from authserver.verifier.feed_reader import SNAPSHOT_INTERVAL, FeedReader, FeedSource
from authserver.verifier.fetch import Call, Fetched, FetchError, write_basic
from tests.support.world.clock import ManualClock
from tests.support.world.feeds import WINDOW, Feed, claims, user
from tests.support.world.tokens import ISSUER, NOW

URI = f"{ISSUER}/oauth/revocations"


class Issuer:
    """Answers calls from a feed, and can be made to answer anything else."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.behind = 0
        """Seconds by which its clock differs from the reader's."""
        self.feed = Feed()
        self.calls: list[Call] = []
        self.instead: Callable[[], Fetched] | None = None
        self.etag: str | None = '"1"'
        self.age = 0

    def __call__(self, call: Call) -> Fetched:
        self.calls.append(call)
        self.feed.now = int(self.clock.seconds()) - self.behind - self.age
        if self.instead is not None:
            return self.instead()
        if call.etag is not None and call.etag == self.etag:
            return Fetched(b"", None, self.age, self.etag, modified=False, sent_at=self.feed.now)
        return Fetched(self.feed.answer(call.url.partition("?cursor=")[2]), None, self.age, self.etag)

    @property
    def asked(self) -> list[str]:
        return [call.url.removeprefix(URI) for call in self.calls]


@pytest.fixture
def issuer(clock: ManualClock) -> Issuer:
    return Issuer(clock)


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
    assert issuer.asked[-1] == "?cursor=0.c"
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
    assert reader.fresh_since == NEVER
    issuer.age = 3
    began = Reading.of(clock)

    def slowly() -> Fetched:
        clock.advance(timedelta(seconds=2))
        return Fetched(issuer.feed.answer(""), None, issuer.age, None)

    issuer.instead = slowly
    reader.poll()
    assert reader.fresh_since == began.shift(-3)
    issuer.instead = None
    clock.advance(timedelta(seconds=1))
    reader.poll()
    assert reader.fresh_since.age(clock) == 3
    clock.advance(timedelta(seconds=1))
    reader.poll()
    assert issuer.calls[-1].etag is not None
    assert 3 <= reader.fresh_since.age(clock) <= 6  # `Date` less `Age`, although a good cache keeps the first `Date`


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
    assert reader.fresh_since == Reading.of(clock)
    assert issuer.asked == ["", "?cursor=1.c", "?cursor=1.c"]


@pytest.mark.parametrize("body", [page(format=2), page(format=0), page(entries=[{"kind": "device", "at": 1}])])
def test_a_feed_that_says_more_than_is_understood_is_not_trusted(
    reader: FeedReader, issuer: Issuer, clock: ManualClock, body: dict[str, Any]
) -> None:
    """Contract §5: fails closed at once, and heals when the feed is understood again."""
    reader.poll()
    issuer.instead = saying(body)
    with pytest.raises(UnknownFeedError):
        reader.poll()
    assert reader.fresh_since == NEVER
    issuer.instead = None
    reader.poll()
    assert reader.fresh_since == Reading.of(clock)


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


def poll_for(reader: FeedReader, clock: ManualClock, seconds: float) -> list[float]:
    """Poll each half second; how old what is known was after each."""
    ages = []
    for _ in range(int(seconds * 2)):
        clock.advance(timedelta(seconds=0.5))
        reader.poll()
        ages.append(reader.fresh_since.age(clock))
    return ages


def test_a_page_that_is_replayed_renews_nothing(reader: FeedReader, issuer: Issuer, clock: ManualClock) -> None:
    """A cache that misbehaves says 200 again and again, and shows no `Age`. The true answer heals it."""
    reader.poll()
    old = Fetched(issuer.feed.answer(""), None, 0, '"1"')
    issuer.instead = lambda: old
    ages = poll_for(reader, clock, 30)
    assert ages[-1] >= 30 - 1.1
    issuer.instead = None
    clock.advance(timedelta(seconds=0.5))
    reader.poll()
    assert reader.fresh_since == Reading.of(clock)


def test_a_304_that_is_replayed_renews_nothing(reader: FeedReader, issuer: Issuer, clock: ManualClock) -> None:
    """It is dated by its `Date`; and the reader asks for the whole page, which only the issuer can stamp."""
    reader.poll()
    reader.poll()
    old = Fetched(b"", None, 0, issuer.etag, modified=False, sent_at=clock.seconds())
    issuer.instead = lambda: old
    ages = poll_for(reader, clock, 30)
    assert ages[-1] >= 30 - 1.1
    assert issuer.calls[-1].etag is None


def test_a_304_without_a_date_renews_nothing_and_the_next_page_does(
    reader: FeedReader, issuer: Issuer, clock: ManualClock
) -> None:
    reader.poll()
    reader.poll()
    issuer.instead = lambda: Fetched(b"", None, 0, issuer.etag, modified=False)
    fresh_since = reader.fresh_since
    clock.advance(timedelta(seconds=1))
    reader.poll()
    assert reader.fresh_since == fresh_since
    issuer.instead = None
    reader.poll()
    assert issuer.calls[-1].etag is None
    assert reader.fresh_since == Reading.of(clock)


@pytest.mark.parametrize("behind", [-7200, -300, -30, 30, 300])
def test_a_clock_of_the_issuer_that_differs_by_minutes_changes_nothing(
    reader: FeedReader, issuer: Issuer, clock: ManualClock, behind: int
) -> None:
    """Stamps are compared with stamps."""
    issuer.behind = behind
    reader.poll()
    assert max(poll_for(reader, clock, 20)) == 0


@pytest.mark.parametrize("by", [2, 5, 30, 300, 10 * 365 * 86_400])
@pytest.mark.parametrize("direction", [1, -1])
def test_an_issuer_whose_clock_is_set_is_believed_again_within_seconds(
    reader: FeedReader, issuer: Issuer, clock: ManualClock, by: int, direction: int
) -> None:
    """Also one of two nodes behind a balancer. Below the staleness of 10 s: nobody is locked out."""
    issuer.behind = min(0, -direction * by)
    reader.poll()
    poll_for(reader, clock, 5)
    issuer.behind += direction * by
    ages = poll_for(reader, clock, 20)
    assert max(ages) < 5
    assert ages[-1] <= 1


def test_a_lock_holds_after_the_issuers_clock_was_far_ahead(
    reader: FeedReader, issuer: Issuer, clock: ManualClock
) -> None:
    """A snapshot of the year 2036 is not newer than the locks of today."""
    issuer.behind = -10 * 365 * 86_400
    reader.poll()
    issuer.behind = 0
    poll_for(reader, clock, 5)
    issuer.feed.add(user(locked=True, at=int(clock.seconds())))
    issuer.etag = '"2"'
    reader.poll()
    assert refuses(reader)


def test_a_first_page_that_no_token_can_outlive_is_not_believed(reader: FeedReader, issuer: Issuer) -> None:
    """Nothing is known yet to compare its stamp with but this machine's clock."""
    issuer.behind = WINDOW + 1
    with pytest.raises(InvalidFeedError):
        reader.poll()
    assert reader.fresh_since == NEVER


def test_what_was_known_before_a_sleep_is_as_old_as_the_sleep(
    reader: FeedReader, issuer: Issuer, clock: ManualClock
) -> None:
    """The monotonic clock stands still meanwhile. A cached page afterwards is no news either."""
    reader.poll()
    old = Fetched(issuer.feed.answer(""), None, 0, None)
    clock.suspend(timedelta(hours=1))
    assert reader.fresh_since.age(clock) == 3600
    issuer.instead = lambda: old
    reader.poll()
    assert reader.fresh_since.age(clock) > 3590
    issuer.instead = None
    reader.poll()
    assert reader.fresh_since == Reading.of(clock)
    assert issuer.asked[-1] == "", "after an hour everything is read anew"


def test_a_wall_clock_that_is_set_back_makes_nothing_younger(
    reader: FeedReader, issuer: Issuer, clock: ManualClock
) -> None:
    reader.poll()
    clock.advance(timedelta(seconds=60))
    clock.set_wall(clock.now() - timedelta(seconds=3600))
    assert reader.fresh_since.age(clock) == 60


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
