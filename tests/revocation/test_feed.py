"""The revocation feed on both databases: readers miss nothing, and its size is bounded (design §6)."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from authserver.clients.client_standing import disable_client, enable_client
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from authserver.credentials.events import (
    RolesChanged,
    SignedOut,
    SignedOutEverywhere,
    SigningKeyCompromised,
    UserLocked,
    UserUnlocked,
)
from authserver.protocol.revocation_feed import (
    ClientEntry,
    Entry,
    FeedPage,
    KeyEntry,
    SessionEntry,
    UserEntry,
    read_page,
)
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.failures import StorageUnavailableError
from authserver.revocation.feed import KEPT_SECONDS, STALE_SECONDS, RevocationFeed
from authserver.storage import Transaction, feed
from authserver.storage.schema import FeedEntry
from tests.support.people.refreshing import open_device
from tests.support.world.clock import ManualClock
from tests.support.world.databases import Databases
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import ISSUER, add_user, build_realm

OPERATOR = Actor("cli")
WINDOW = timedelta(seconds=390)


class BrokenWorldError(Exception):
    """Raised by a test inside a transaction."""


@pytest.fixture
def user_id(realm: Realm) -> str:
    return add_user(realm)


def _apply(realm: Realm, *events: object) -> None:
    for event in events:
        with realm.database.write() as tx:
            realm.revocation.apply(tx, event, by=OPERATOR, now=realm.clock.now())  # type: ignore[arg-type]


def _read(realm: Realm, cursor: str = "") -> FeedPage:
    """Read a page from a node that has nothing in memory."""
    served = RevocationFeed(realm.database, ISSUER, WINDOW, realm.clock).read(cursor, None)
    assert served.body is not None
    return read_page(json.loads(served.body))


def _entries(realm: Realm) -> list[Entry]:
    return list(_read(realm).entries)


def test_an_event_that_bumps_publishes_the_lowest_valid_version_and_each_ended_session(
    realm: Realm, user_id: str, clock: ManualClock
) -> None:
    sids = {open_device(realm).sid for _ in range(2)}
    _apply(realm, SignedOutEverywhere(user_id))
    at = int(clock.seconds())
    user, *sessions = _entries(realm)
    assert user == UserEntry(user_id, 2, locked=False, soft_logout=False, rev=1, at=at)
    assert set(sessions) == {SessionEntry(sid, soft_logout=False, at=at) for sid in sids}


def test_a_stale_token_of_a_kept_session_is_a_soft_logout(realm: Realm, user_id: str) -> None:
    """A refresh replaces a token that is invalid only because of its version."""
    _apply(realm, RolesChanged(user_id, ("editor",)))
    (entry,) = _entries(realm)
    assert isinstance(entry, UserEntry)
    assert (entry.token_version, entry.soft_logout) == (2, True)


def test_a_lock_stays_in_the_feed_until_the_unlock_replaces_it(realm: Realm, user_id: str, clock: ManualClock) -> None:
    _apply(realm, UserLocked(user_id))
    clock.advance(timedelta(days=2))
    _prune(realm)
    (locked,) = _entries(realm)
    assert isinstance(locked, UserEntry)
    assert (locked.locked, locked.soft_logout, locked.token_version) == (True, True, 1)
    _apply(realm, UserUnlocked(user_id))
    (unlocked,) = _entries(realm)
    assert isinstance(unlocked, UserEntry)
    assert not unlocked.locked
    assert unlocked.rev > locked.rev


def test_a_disabled_and_an_enabled_client_are_published(realm: Realm) -> None:
    disable_client(realm, FIRST_PARTY_CLIENT_ID, OPERATOR)
    (disabled,) = _entries(realm)
    enable_client(realm, FIRST_PARTY_CLIENT_ID)
    (enabled,) = _entries(realm)
    assert isinstance(disabled, ClientEntry)
    assert isinstance(enabled, ClientEntry)
    assert (disabled.disabled, enabled.disabled) == (True, False)
    assert enabled.rev > disabled.rev


def test_a_compromised_key_stays_in_the_feed_for_thirty_days(realm: Realm, clock: ManualClock) -> None:
    _apply(realm, SigningKeyCompromised("stolen"))
    clock.advance(timedelta(days=29))
    _prune(realm)
    assert [type(entry) for entry in _entries(realm)] == [KeyEntry]
    clock.advance(timedelta(days=2))
    assert _entries(realm) == []


def test_a_rolled_back_event_is_not_published(realm: Realm, user_id: str) -> None:
    def break_off() -> None:
        with realm.database.write() as tx:
            realm.revocation.apply(tx, SignedOutEverywhere(user_id), by=OPERATOR, now=realm.clock.now())
            raise BrokenWorldError

    with pytest.raises(BrokenWorldError):
        break_off()
    with realm.database.write():
        pass  # reuses the pooled connection, which must keep no entry of the rolled-back transaction
    assert _entries(realm) == []


def test_a_cursor_gets_what_came_after_it(realm: Realm, user_id: str) -> None:
    first, second = open_device(realm), open_device(realm)
    _apply(realm, SignedOut(user_id, first.sid))
    page = _read(realm)
    assert page.reset
    _apply(realm, SignedOut(user_id, second.sid))
    delta = _read(realm, page.cursor)
    assert not delta.reset
    assert [entry.sid for entry in delta.entries if isinstance(entry, SessionEntry)] == [second.sid]
    assert _read(realm, delta.cursor).entries == ()


@pytest.mark.parametrize("cursor", ["nonsense", "1", "1.nobody", "99.x", "-1.x", "9" * 40, "1.\u2028", "٣.x"])
def test_an_unknown_cursor_gets_the_whole_window(realm: Realm, user_id: str, cursor: str) -> None:
    _apply(realm, RolesChanged(user_id, ("a",)))
    page = _read(realm, cursor)
    assert page.reset
    assert len(page.entries) == 1


def test_a_cursor_of_entries_lost_in_a_fail_over_gets_the_whole_window(realm: Realm, user_id: str) -> None:
    """The position alone is not enough, because it now belongs to another entry."""
    _apply(realm, RolesChanged(user_id, ("a",)), RolesChanged(user_id, ("b",)))
    cursor = _read(realm).cursor
    with realm.database.write() as tx:
        tx.execute(delete(FeedEntry).where(FeedEntry.position == 2))
        tx.exec_driver_sql("UPDATE feed_counter SET position = 1")
    _apply(realm, RolesChanged(user_id, ("c",)))
    assert _read(realm, cursor).reset


def test_the_feed_forgets_entries_that_concern_no_unexpired_token(
    realm: Realm, user_id: str, clock: ManualClock
) -> None:
    """The size of the feed depends on the rate of revocations, not on the number of users."""
    _apply(realm, *(RolesChanged(user_id, (str(number),)) for number in range(20)))
    assert len(_entries(realm)) == 1, "of one subject the newest entry says all"
    clock.advance(WINDOW)
    assert _entries(realm) == []
    _prune(realm)
    with realm.database.read() as tx:
        assert len(tx.execute(select(FeedEntry.position)).all()) == 1, "the newest stays, for cursors to name"
    _apply(realm, RolesChanged(user_id, ("new",)))
    assert len(_entries(realm)) == 1


def test_positions_follow_the_order_of_commits(
    postgresql_databases: Databases, clock: ManualClock, entropy: SeededEntropy
) -> None:
    """A transaction that revokes first but commits later gets the later position, so no reader can have passed it.

    PostgreSQL only: SQLite has one writer at a time, so nothing can interleave.
    """
    realm = build_realm(postgresql_databases.migrated(), clock, entropy)
    user_id, other = add_user(realm), add_user(realm, "zoe@example.test")
    applied, finish = threading.Event(), threading.Event()

    def slow() -> None:
        with realm.database.write() as tx:
            realm.revocation.apply(tx, RolesChanged(user_id, ("slow",)), by=OPERATOR, now=realm.clock.now())
            applied.set()
            assert finish.wait(timeout=20)

    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(slow)
        assert applied.wait(timeout=20)
        _apply(realm, RolesChanged(other, ("quick",)))
        page = _read(realm)
        assert [entry.sub for entry in page.entries if isinstance(entry, UserEntry)] == [other]
        finish.set()
        future.result(timeout=20)
    assert [entry.sub for entry in _read(realm, page.cursor).entries if isinstance(entry, UserEntry)] == [user_id]
    realm.database.dispose()


@pytest.mark.races
def test_a_follower_misses_nothing_while_others_commit(realm: Realm, rounds: int) -> None:
    writers, events = 8, max(5, rounds // 10)
    users = [add_user(realm, f"user{number}@example.test") for number in range(writers)]
    done = threading.Event()
    seen: dict[str, int] = {}

    def follow() -> None:
        cursor, last = "", False
        while not last:
            last = done.is_set()
            page = _read(realm, cursor)
            cursor = page.cursor
            for entry in page.entries:
                assert isinstance(entry, UserEntry)
                seen[entry.sub] = max(seen.get(entry.sub, 0), entry.token_version)

    def revoke(user: str) -> None:
        for number in range(events):
            _apply(realm, RolesChanged(user, (str(number),)))

    with ThreadPoolExecutor(writers + 1) as threads:
        reader = threads.submit(follow)
        for future in [threads.submit(revoke, user) for user in users]:
            future.result(timeout=120)
        done.set()
        reader.result(timeout=60)
    assert seen == dict.fromkeys(users, 1 + events)


def test_a_node_with_an_older_page_in_memory_does_not_send_a_reader_back(
    realm: Realm, user_id: str, clock: ManualClock
) -> None:
    behind = RevocationFeed(realm.database, ISSUER, WINDOW, clock)
    _apply(realm, RolesChanged(user_id, ("a",)))
    behind.read("", None)
    _apply(realm, RolesChanged(user_id, ("b",)))
    ahead = _read(realm).cursor
    served = behind.read(ahead, None)
    assert served.body is not None
    page = read_page(json.loads(served.body))
    assert (page.cursor, page.reset, page.entries) == (ahead, False, ())


def test_entity_tags_are_the_same_on_every_node(realm: Realm, user_id: str, clock: ManualClock) -> None:
    _apply(realm, RolesChanged(user_id, ("a",)))
    nodes = [RevocationFeed(realm.database, ISSUER, WINDOW, clock) for _ in range(2)]
    etags = {node.read("", None).etag for node in nodes}
    assert len(etags) == 1
    (etag,) = etags
    assert nodes[1].read("", etag).body is None
    _apply(realm, RolesChanged(user_id, ("b",)))
    assert nodes[0].read("", etag).body is None, "kept for a moment"
    clock.advance(timedelta(seconds=KEPT_SECONDS))
    assert nodes[0].read("", etag).body is not None


def test_every_answer_has_a_new_timestamp(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """A page stays in memory while nothing happens; readers detect a replay by a timestamp that does not advance."""
    _apply(realm, RolesChanged(user_id, ("a",)))
    served = RevocationFeed(realm.database, ISSUER, WINDOW, clock)
    pages = []
    for _ in range(3):
        page = served.read("", None)
        assert page.body is not None
        assert read_page(json.loads(page.body)).generated_at == page.at == int(clock.seconds())
        assert served.read("", page.etag).at == page.at
        pages.append(page)
        clock.advance(timedelta(seconds=2))
    assert len({page.etag for page in pages}) == 1


def test_a_timestamp_is_no_later_than_the_query_of_the_database(realm: Realm, clock: ManualClock) -> None:
    served = RevocationFeed(realm.database, ISSUER, WINDOW, clock)
    clock.advance(timedelta(seconds=0.9))
    first = served.read("", None)
    clock.advance(timedelta(seconds=KEPT_SECONDS / 2))
    assert served.read("", None).at == first.at
    clock.suspend(timedelta(hours=1))
    assert served.read("", None).at == int(clock.seconds()), "a sleep makes what is kept an hour old"


def _prune(realm: Realm) -> None:
    with realm.database.write() as tx:
        feed.prune(tx, realm.clock.now(), WINDOW, limit=1000)


def test_readers_get_the_page_in_memory_while_one_of_them_queries(
    realm: Realm, user_id: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers do not queue behind a silent database; after a second they get an error instead of the old page."""
    reading = RevocationFeed(realm.database, ISSUER, WINDOW, clock)
    served = reading.read("", None)
    found, looking, over = feed.find_head, threading.Event(), threading.Event()

    def stand_still(tx: Transaction) -> feed.Head:
        looking.set()
        assert over.wait(20)
        return found(tx)

    monkeypatch.setattr(feed, "find_head", stand_still)
    monkeypatch.setattr("authserver.revocation.feed.TURN_SECONDS", 0.1)
    clock.advance(timedelta(seconds=KEPT_SECONDS))
    with ThreadPoolExecutor(1) as thread:
        one = thread.submit(reading.read, "", served.etag)
        assert looking.wait(20)
        try:
            assert reading.read("", served.etag).body is None
            clock.advance(timedelta(seconds=STALE_SECONDS))
            with pytest.raises(StorageUnavailableError):
                reading.read("", served.etag)
        finally:
            over.set()
        assert one.result(20).body is None
