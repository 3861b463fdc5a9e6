"""How transactions are held, on both databases."""

import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack

import pytest
from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from authserver import storage
from authserver.protocol.entropy import Entropy, new_id
from authserver.records.failures import StorageUnavailableError
from authserver.records.user import NewUser
from authserver.storage import Database, users
from authserver.storage.schema import Node
from tests.support.world.clock import ManualClock
from tests.support.world.databases import Databases, opened

WRITERS = 32


class BrokenWorldError(Exception):
    """Raised by a test inside a transaction."""


def _count(database: Database) -> None:
    """Read, then write what was read: the pattern that loses updates where transactions begin too late."""
    with database.write() as tx:
        seen = tx.execute(select(Node.master_keys).where(Node.node_id == "counter").with_for_update()).scalar_one()
        tx.execute(update(Node).where(Node.node_id == "counter").values(master_keys=str(int(seen) + 1)))


@pytest.mark.parametrize("handles", [1, 4])
def test_32_writers_lose_nothing_and_none_of_them_fails(database_url: str, clock: ManualClock, handles: int) -> None:
    """Neither `database is locked` nor a lost update; several handles on one database stand for several processes."""
    with ExitStack() as stack:
        databases = [stack.enter_context(opened(database_url, pool_size=4)) for _ in range(handles)]
        with databases[0].write() as tx:
            tx.execute(insert(Node).values(node_id="counter", master_keys="0", seen_at=clock.now()))
        with ThreadPoolExecutor(WRITERS) as threads:
            work = [threads.submit(_count, databases[number % handles]) for number in range(WRITERS * 8)]
            for future in work:
                future.result(timeout=60)
        with databases[0].read() as tx:
            assert tx.execute(select(Node.master_keys)).scalar_one() == str(WRITERS * 8)


@pytest.mark.parametrize("hold", [Database.read, Database.write], ids=["read", "write"])
def test_a_statement_that_fails_does_not_say_what_it_was_given(
    database: Database, entropy: Entropy, hold: Callable[[Database], AbstractContextManager[Connection]]
) -> None:
    """ASVS 16.2.5: what nobody expected is logged whole, and statements are given addresses, hashes and digests."""
    given = new_id(entropy)
    with pytest.raises((DBAPIError, StorageUnavailableError)) as failure, hold(database) as tx:
        tx.execute(text("SELECT 1 FROM nowhere WHERE name = :given"), {"given": given})
    said = "".join(traceback.format_exception(failure.value))
    assert "nowhere" in said
    assert given not in said


def test_a_transaction_that_raises_leaves_nothing(database: Database, clock: ManualClock) -> None:
    user = NewUser("u", "ada@example.test", "Ada", None, (), email_verified=True)

    def break_off() -> None:
        with database.write() as tx:
            users.add(tx, user, clock.now())
            raise BrokenWorldError

    with pytest.raises(BrokenWorldError):
        break_off()
    with database.read() as tx:
        assert users.find(tx, "u") is None
    with database.write() as tx:
        assert users.add(tx, user, clock.now())
    with database.write() as tx:
        assert not users.add(tx, user, clock.now()), "a taken address is an outcome, and the transaction goes on"
        assert users.find(tx, "u") is not None


def test_commits_are_durable_before_the_answer_leaves(database: Database) -> None:
    """SQLite: synchronous=FULL in WAL mode; PostgreSQL: synchronous_commit on, whatever the server's default is."""
    with database.read() as tx:
        if database.dialect == "sqlite":
            assert tx.execute(text("PRAGMA synchronous")).scalar_one() == 2
            assert tx.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
            assert tx.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
        else:
            assert tx.execute(text("SHOW synchronous_commit")).scalar_one() == "on"


def test_a_pool_that_is_empty_is_unavailable_and_not_an_accident(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authserver.storage.database._POOL_WAIT_SECONDS", 0.1)
    database = storage.open(databases.migrated(), pool_size=1)
    with database.read(), pytest.raises(StorageUnavailableError), database.read():
        pytest.fail("a second connection came from somewhere")
    with database.read() as tx:
        assert tx.execute(text("SELECT 1")).scalar_one() == 1
    database.dispose()


def test_a_read_at_the_driver_waits_for_no_writer(database: Database) -> None:
    statement = database.compile(select(Node.node_id).where(Node.node_id == "nobody"))
    with ThreadPoolExecutor(1) as reader, database.write():
        assert reader.submit(statement.execute, node_id_1="nobody").result(timeout=3) is None


def test_a_right_that_the_role_lacks_is_no_accident(postgresql_databases: Databases) -> None:
    """Through SQLAlchemy and at the driver alike."""
    database = storage.open(postgresql_databases.migrated(), pool_size=1)
    nobody = select(Node.node_id).where(Node.node_id == "nobody")
    with database.read() as tx:
        tx.execute(text("SET ROLE pg_monitor"))  # stays on the only connection
    with pytest.raises(StorageUnavailableError, match="lacks a right"), database.read() as tx:
        tx.execute(nobody)
    with pytest.raises(StorageUnavailableError, match="lacks a right"):
        database.compile(nobody).execute(node_id_1="nobody")
    database.dispose()


def test_a_connection_that_the_server_closed_is_replaced(postgresql_databases: Databases) -> None:
    """Also when the hot statement meets it, which goes below SQLAlchemy."""
    database = storage.open(postgresql_databases.migrated(), pool_size=1)
    statement = database.compile(select(Node.node_id).where(Node.node_id == "nobody"))
    assert statement.execute(node_id_1="nobody") is None
    with database.read() as tx:
        pid = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with opened(database.engine.url.render_as_string(hide_password=False)) as other, other.read() as tx:
        tx.execute(text(f"SELECT pg_terminate_backend({pid})"))
    with pytest.raises(StorageUnavailableError):
        statement.execute(node_id_1="nobody")
    assert statement.execute(node_id_1="nobody") is None
    database.dispose()
