"""Waits for a database that does not answer, at the level of storage."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from authserver import patience, storage
from authserver.patience import serving
from authserver.protocol.revocation_feed import TokenEntry
from authserver.records.failures import StorageUnavailableError
from authserver.storage import Database, feed, last
from authserver.storage.schema import FeedEntry, Node
from tests.support.wire.silence import Silence, silenceable
from tests.support.world.databases import Databases, opened
from tests.support.world.processes import wait_until
from tests.support.world.time_limit import time_limit


@pytest.fixture
def silence(postgresql_databases: Databases) -> Iterator[Silence]:
    with silenceable(postgresql_databases.migrated()) as proxy:
        yield proxy


def _ask(database: Database) -> object:
    with database.read() as tx:
        return tx.execute(text("SELECT 1")).scalar_one()


def _begin_to_write(database: Database) -> object:
    with database.write() as tx:
        return tx.execute(text("SELECT 1")).scalar_one()


def _ask_at_the_driver(database: Database) -> object:
    return database.compile(select(Node.node_id).where(Node.node_id == "nobody")).execute(node_id_1="nobody")


ASKING = pytest.mark.parametrize("ask", [_ask, _begin_to_write, _ask_at_the_driver])


@time_limit(60)
@ASKING
@pytest.mark.parametrize("connected", [True, False], ids=["connected", "not yet connected"])
def test_a_silent_database_is_given_up_and_found_again(silence: Silence, ask: object, *, connected: bool) -> None:
    """The kernel of the other side acknowledges all the while, so no time-out of TCP would notice."""
    assert callable(ask)
    with opened(silence.url, pool_size=2) as database:
        if connected:
            _ask(database)
        silence.silent.set()
        began = time.monotonic()
        with pytest.raises(StorageUnavailableError), serving("door", 1.0):
            ask(database)
        assert time.monotonic() - began < 6, "one second, or two for a connection"
        silence.silent.clear()
        ask(database)


@time_limit(60)
def test_a_thread_that_serves_no_request_gives_up_too(silence: Silence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "STATEMENT_SECONDS", 1.0)
    with opened(silence.url) as database:
        _ask(database)
        silence.silent.set()
        with pytest.raises(StorageUnavailableError):
            _ask(database)
        silence.silent.clear()
        assert _ask(database) == 1


@time_limit(60)
def test_the_waits_of_a_request_are_counted_together(silence: Silence) -> None:
    with opened(silence.url) as database, serving("door", 1.0):
        with database.read() as tx:
            tx.execute(text("SELECT pg_sleep(0.7)"))
        began = time.monotonic()
        with pytest.raises(StorageUnavailableError), database.read() as tx:
            tx.execute(text("SELECT pg_sleep(3)"))
        assert time.monotonic() - began < 2


def test_one_door_leaves_turns_to_the_others(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "TURN_SECONDS", 0.2)
    database = storage.open(databases.migrated(), pool_size=6, turns=4)
    held, over = threading.Barrier(4), threading.Event()

    def hold() -> None:
        with serving("stuck"), database.read():
            held.wait(20)
            over.wait(20)

    with ThreadPoolExecutor(3) as threads:
        holding = [threads.submit(hold) for _ in range(3)]
        held.wait(20)
        try:
            with serving("another"):
                assert _ask(database) == 1
            with pytest.raises(StorageUnavailableError), serving("stuck"):
                _ask(database)
        finally:
            over.set()
        for one in holding:
            one.result(20)
        with serving("stuck"):
            assert _ask(database) == 1
    database.dispose()


def test_turns_are_handed_on(database: Database) -> None:
    """More requests than turns, all of which wait: everybody gets one in the end."""
    with ThreadPoolExecutor(16) as threads:

        def ask(_: int) -> object:
            with serving("door"):
                return _ask(database)

        assert list(threads.map(ask, range(200), timeout=60)) == [1] * 200


def test_a_request_may_ask_within_what_it_asks(databases: Databases) -> None:
    """With one turn for all: it does not wait for itself."""
    database = storage.open(databases.migrated(), pool_size=2, turns=1)
    with serving("door"), database.read():
        assert _ask(database) == 1
    database.dispose()


def _revoke(database: Database, name: str) -> None:
    with database.write() as tx:
        feed.append(tx, TokenEntry(jti=name, at=1), name)


def test_nobody_holds_the_counter_while_they_stand_still(postgresql_databases: Databases) -> None:
    """Whoever stands still before the end of a revocation has not taken the counter, and after it has given it back."""
    url = postgresql_databases.migrated()
    with opened(url) as frozen, opened(url) as other:
        with frozen.write() as tx:
            feed.append(tx, TokenEntry(jti="late", at=1), "late")
            tx.execute(text("SELECT 1"))
            _revoke(other, "early")  # meanwhile; nothing waits
        with other.read() as tx:
            rows = tx.execute(select(FeedEntry.position, FeedEntry.subject).order_by(FeedEntry.position)).all()
    assert [tuple(row) for row in rows] == [(1, "early"), (2, "late")]


@time_limit(60)
def test_a_process_that_stands_still_while_it_commits_blocks_nobody(silence: Silence) -> None:
    """Its last words have left and no answer reaches it: the others revoke at once, and what it revoked stays."""
    with opened(silence.url) as frozen, opened(silence.direct_url) as other, ThreadPoolExecutor(1) as thread:
        _revoke(frozen, "warm")
        with frozen.write() as tx:
            feed.append(tx, TokenEntry(jti="unheard", at=1), "unheard")
            tx.execute(text("SELECT 1"))
            silence.deaf.set()
            # What follows is sent by the end of the block, in another thread: this one goes on meanwhile.
            ending = thread.submit(last.run, tx)
            _wait_for(other, "unheard")
            began = time.monotonic()
            _revoke(other, "after")
            assert time.monotonic() - began < 3, "and not only when somebody gave up waiting for the counter"
            silence.deaf.clear()
            ending.result(20)
        with other.read() as tx:
            subjects = tx.execute(select(FeedEntry.subject).order_by(FeedEntry.position)).scalars().all()
    assert list(subjects) == ["warm", "unheard", "after"]


def _wait_for(database: Database, name: str) -> None:
    def is_there() -> bool:
        with database.read() as tx:
            return feed.is_token_revoked(tx, name)

    wait_until(is_there, f"the revocation of {name}")
