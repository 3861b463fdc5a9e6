"""One reader of the feed cannot slow down the others, also with invented cursors."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from authserver.protocol.revocation_feed import FeedPage, TokenEntry, read_page
from authserver.realm import Realm
from authserver.revocation.feed import KEPT_SECONDS, WINDOW_KEPT_SECONDS, RevocationFeed
from authserver.revocation.feed_pages import MOST_NEW, NewPages
from authserver.revocation.reader_budget import AT_ONCE, PER_SECOND, ReaderBudget
from authserver.storage import feed
from authserver.storage.feed import Head
from tests.support.people.api import Api
from tests.support.people.introspecting import register_server
from tests.support.world.clock import ManualClock
from tests.support.world.realm import ISSUER

WINDOW = timedelta(seconds=390)
Recording = Callable[[], AbstractContextManager[list[str]]]


def publish(realm: Realm, count: int, name: str = "token") -> None:
    """Publish `count` revoked tokens, in one transaction."""
    at = int(realm.clock.seconds())
    with realm.database.write() as tx:
        for number in range(count):
            feed.append(tx, TokenEntry(f"{name}-{number}", at), f"id-{name}-{number}")


def ask(pages: RevocationFeed, cursor: str = "") -> FeedPage:
    served = pages.read(cursor, None)
    assert served.body is not None
    page = read_page(json.loads(served.body))
    assert page.reset is served.whole
    return page


def revoked(page: FeedPage) -> set[str]:
    return {entry.jti for entry in page.entries if isinstance(entry, TokenEntry)}


def readings_of_the_window(statements: list[str]) -> int:
    return sum("feed_entries.subject" in statement for statement in statements)


@pytest.fixture
def pages(realm: Realm) -> RevocationFeed:
    """The pages of one node."""
    return RevocationFeed(realm.database, ISSUER, WINDOW, realm.clock)


def made_up() -> Iterator[str]:
    for number in range(1, 60):
        yield f"{number}.nobody-{number}"
        yield f"{10**12 + number}.x"
        yield f"{number}.id-token-{number + 5}"
        yield f"nonsense {number}"


def test_invented_cursors_are_answered_from_one_query(
    realm: Realm, pages: RevocationFeed, recording: Recording
) -> None:
    """Each invented cursor costs at most two look-ups by key, and leaves nothing in memory."""
    publish(realm, 50)
    with recording() as statements:
        found = [ask(pages, cursor) for cursor in made_up()]
    assert all(page.reset and len(revoked(page)) == 50 for page in found)
    assert readings_of_the_window(statements) == 1
    assert len(statements) <= 2 * len(found) + 2
    assert pages._new.kept_bytes == 0


def test_the_window_is_queried_only_now_and_then_and_lacks_nothing(
    realm: Realm, pages: RevocationFeed, clock: ManualClock, recording: Recording
) -> None:
    publish(realm, 3)
    assert len(revoked(ask(pages))) == 3
    with recording() as statements:
        for turn in range(8):
            publish(realm, 2, f"turn-{turn}")
            clock.advance(timedelta(seconds=KEPT_SECONDS))
            page = ask(pages, "made up")
            assert len(revoked(page)) == 3 + 2 * (turn + 1)
            assert ask(pages, page.cursor).entries == (), "the cursor of a whole page is good"
    assert readings_of_the_window(statements) == 0
    clock.advance(timedelta(seconds=WINDOW_KEPT_SECONDS))
    with recording() as statements:
        assert len(revoked(ask(pages))) == 19
    assert readings_of_the_window(statements) == 1


def test_a_reader_that_lacks_too_much_gets_the_shared_window(
    realm: Realm, pages: RevocationFeed, clock: ManualClock
) -> None:
    publish(realm, 1, "first")
    cursor = ask(pages).cursor
    publish(realm, MOST_NEW)
    clock.advance(timedelta(seconds=KEPT_SECONDS))
    assert not ask(pages, cursor).reset
    publish(realm, 1, "last")
    clock.advance(timedelta(seconds=KEPT_SECONDS))
    page = ask(pages, cursor)
    assert page.reset
    assert len(revoked(page)) == MOST_NEW + 2


def test_readers_with_the_same_cursor_share_one_query(
    realm: Realm, pages: RevocationFeed, clock: ManualClock, recording: Recording
) -> None:
    publish(realm, 1, "first")
    cursor = ask(pages).cursor
    publish(realm, 5)
    clock.advance(timedelta(seconds=KEPT_SECONDS))
    first = ask(pages, cursor)
    with recording() as statements:
        assert ask(pages, cursor) == first
    assert statements == []


def test_the_memory_for_pages_is_bounded() -> None:
    """The oldest pages are dropped first, and all of them when there is a newer entry."""
    kept, head = NewPages(most_bytes=1000), Head(100, "z")
    for number in range(50):
        kept.keep(Head(number, "a"), head, b"x" * 90)
        kept.keep(Head(number, "a"), head, b"x" * 90)
        assert kept.kept_bytes <= 1000
    assert kept.find(Head(49, "a"), head) == b"x" * 90
    assert kept.find(Head(1, "a"), head) is None
    assert kept.keep(Head(1, "a"), head, b"x" * 2000) == b"x" * 2000
    assert kept.kept_bytes == 0
    kept.keep(Head(1, "a"), Head(101, "y"), b"x")
    assert (kept.kept_bytes, kept.find(Head(49, "a"), head)) == (1, None)


def test_only_the_reader_that_has_used_up_its_budget_waits(clock: ManualClock) -> None:
    budget = ReaderBudget(clock)
    assert budget.spend("greedy", AT_ONCE + PER_SECOND * 3) is None
    assert budget.spend("greedy", 1) == 3
    assert budget.spend("modest", 1) is None
    clock.advance(timedelta(seconds=3.5))
    assert budget.spend("greedy", 1) is None


def test_the_endpoint_asks_a_greedy_reader_to_wait(realm: Realm) -> None:
    """It gets 503 with Retry-After for the whole window, but still gets new entries; other readers get both."""
    api = Api(realm)
    publish(realm, 5)
    greedy, modest = register_server(realm), register_server(realm)

    def poll(who: dict[str, str], cursor: str = "") -> tuple[int, str | None]:
        auth = (who["client_id"], who["client_secret"])
        answer = api.client.get("/oauth/revocations", query_string={"cursor": cursor}, auth=auth)
        return answer.status_code, answer.headers.get("Retry-After")

    assert poll(greedy) == (200, None)
    cursor = ask(realm.feed).cursor
    realm.feed.budget.spend(greedy["client_id"], 2 * AT_ONCE)
    status, wait = poll(greedy, "made up")
    assert (status, int(wait or 0) > 0) == (503, True)
    assert poll(greedy, cursor) == (200, None)
    assert poll(modest, "made up") == (200, None)
