"""Makes the Nth database operation of a block fail, in the driver, below all of our code.

Statements and commits are counted alike. A refusal comes from the real PostgreSQL, and a broken connection is really
broken, so that the pool has to notice by itself.
"""

import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Self

import psycopg
from sqlalchemy import event

from authserver.storage import Database


class Fault(Enum):
    """The kind of failure."""

    REFUSED = "the database says no, and does nothing"
    DROPPED = "the connection breaks, and nothing is done"
    LOST = "it is done, and the connection breaks before anybody is told"


@dataclass
class Failing:
    """The number of the operation that fails, and how; `tripped` is True after the failure."""

    at: int
    fault: Fault
    seen: int = 0
    tripped: bool = False

    def is_due(self) -> bool:
        """Count an operation; return whether it must fail."""
        self.seen += 1
        due = self.seen == self.at
        self.tripped = self.tripped or due
        return due


_failing: Failing | None = None


@contextmanager
def failing(at: int, fault: Fault) -> Iterator[Failing]:
    """Make operation number `at` of the block fail, counted from 1, on a prepared database."""
    global _failing  # noqa: PLW0603 - drivers build their connections themselves
    _failing = Failing(at, fault)
    try:
        yield _failing
    finally:
        _failing = None


def prepare(database: Database) -> tuple[Fault, ...]:
    """Make `database` able to fail; return the faults that are possible on its kind."""
    database.dispose()  # what is in the pool was built without
    event.listen(database.engine, "do_connect", _CONNECT[database.dialect])
    return tuple(fault for fault in Fault if fault is not Fault.DROPPED or database.dialect != "sqlite")


def _meet(connection: "_SqliteConnection | _PostgresConnection", do: Callable[[], object]) -> None:
    """Run the operation, or fail as planned."""
    if _failing is None or not _failing.is_due():
        do()
        return
    match _failing.fault:
        case Fault.REFUSED:
            connection.refuse()
        case Fault.DROPPED:
            connection.cut()
            do()
        case Fault.LOST:
            do()
            connection.lose()
    raise AssertionError("a failpoint has let something pass")


class _SqliteCursor(sqlite3.Cursor):
    connection: "_SqliteConnection"

    def execute(self, *arguments: Any) -> Self:  # noqa: ANN401 - as the driver
        _meet(self.connection, lambda: self._do(*arguments))
        return self

    def _do(self, *arguments: Any) -> None:  # noqa: ANN401 - as the driver
        super().execute(*arguments)
        if _failing is not None and _failing.tripped:
            self.fetchall()  # an UPDATE … RETURNING is committed when its last row was read


class _SqliteConnection(sqlite3.Connection):
    def cursor(self, *_: Any) -> Any:  # noqa: ANN401 - as the driver
        return super().cursor(_SqliteCursor)

    def commit(self) -> None:
        _meet(self, super().commit)

    def refuse(self) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    def cut(self) -> None:
        raise AssertionError("SQLite has no connection that could break")

    def lose(self) -> None:
        raise sqlite3.OperationalError("interrupted")


class _PostgresCursor(psycopg.Cursor[Any]):
    def execute(self, *arguments: Any, **options: Any) -> Self:  # noqa: ANN401 - as the driver
        connection = self.connection
        assert isinstance(connection, _PostgresConnection)
        do = super().execute
        _meet(connection, lambda: do(*arguments, **options))
        return self


class _PostgresConnection(psycopg.Connection[Any]):
    def commit(self) -> None:
        if self.info.transaction_status is psycopg.pq.TransactionStatus.IDLE:
            return  # the last statement has committed, and nothing is asked of the database
        try:
            _meet(self, super().commit)
        except psycopg.errors.DiskFull:
            self.rollback()  # a COMMIT that fails ends its transaction, unlike SQLite's
            raise

    def refuse(self) -> None:
        psycopg.Cursor(self).execute("DO $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'; END $$")

    def cut(self) -> None:
        with socket.socket(fileno=socket.dup(self.fileno())) as duplicate:
            duplicate.shutdown(socket.SHUT_RDWR)

    def lose(self) -> None:
        self.close()
        raise psycopg.OperationalError("the connection is lost")


def _connect_sqlite(_dialect: object, _record: object, arguments: Any, options: Any) -> sqlite3.Connection:  # noqa: ANN401
    return sqlite3.connect(*arguments, **options, factory=_SqliteConnection)


def _connect_postgres(_dialect: object, _record: object, arguments: Any, options: Any) -> psycopg.Connection[Any]:  # noqa: ANN401
    return _PostgresConnection.connect(*arguments, **options, cursor_factory=_PostgresCursor)


_CONNECT: Final = {"sqlite": _connect_sqlite, "postgresql": _connect_postgres}
