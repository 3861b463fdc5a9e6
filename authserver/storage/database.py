"""The database engines, and the one way to hold a transaction.

All connections are in autocommit mode at the driver. A write transaction begins explicitly (`BEGIN IMMEDIATE` on
SQLite, `BEGIN` on PostgreSQL), reads run without a transaction, and the hot statement goes straight to the driver. So
one pool serves all, and the fast path has no extra round trip.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from authserver.patience import REQUEST_SECONDS, TURN_SECONDS, ImpatientError, OneAtATime, Turns
from authserver.records.failures import StorageUnavailableError
from authserver.storage import last
from authserver.storage.sqlite_file import MissingFileError, demand_file, find_path, is_no_database, read_url

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

    Statement = Select[Any] | ReturningUpdate[Any] | ReturningInsert[Any]

_SQLITE_BUSY_SECONDS = REQUEST_SECONDS - TURN_SECONDS
_WAL_TRIES = 10
_POOL_WAIT_SECONDS = 5


INSUFFICIENT_PRIVILEGE = "42501"  # PostgreSQL's SQLSTATE
REFUSED_ROLE = "the role of the database URL lacks a right"


class Database:
    """One database: a pool of connections and the ways to use one."""

    def __init__(self, url: URL, *, pool_size: int, turns: int, prepared: bool) -> None:
        """Prepare a pool for `url`. It connects at the first statement, because a pool must not cross a fork."""
        self.dialect = url.get_backend_name()
        self.engine = _build_writer(url, pool_size, prepared=prepared)
        self._turns = Turns(turns, max(turns - max(turns // 4, 1), 1))
        self._reader = create_engine(url, pool=self.engine.pool, hide_parameters=True)
        self._translating_failures = _TranslatingFailures(self.engine)
        # SQLite has one writer at a time. Its own busy handler would poll.
        self._writing = OneAtATime() if self.dialect == "sqlite" else self._turns

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One write transaction: committed, durably, when the block returns; rolled back when it raises."""
        with self._translating_failures, self._writing, self.engine.connect() as tx:
            try:
                with tx.begin():
                    last.forget(tx)
                    yield tx
                    last.run(tx)
            except (DBAPIError, self._translating_failures.driver_error):
                # A COMMIT that fails may leave its transaction open, and the pool resets nothing. The work of the next
                # request on this connection would then never be committed.
                tx.invalidate()
                raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading, without a transaction: each statement sees the newest committed state."""
        with self._translating_failures, self._turns, self._reader.connect() as tx:
            yield tx

    def compile(self, statement: "Statement") -> "CompiledStatement":
        """Compile a Core statement once, for `CompiledStatement.execute` at the driver."""
        return CompiledStatement(self, statement)

    def dispose(self) -> None:
        """Close all idle connections."""
        self.engine.dispose()
        self._reader.pool = self.engine.pool  # dispose() gives an engine a new one


class CompiledStatement:
    """A single statement, compiled once and executed at the driver, in autocommit, on a pooled connection."""

    def __init__(self, database: Database, statement: "Statement") -> None:
        """Compile `statement` for `database`; its bind parameters become keyword arguments of `execute`."""
        dialect = database.engine.dialect
        compiled = statement.compile(dialect=dialect)
        self._database = database
        self._text: str = compiled.string
        self._positions: list[str] | None = compiled.positiontup
        self._turn = database._turns if statement.is_select else database._writing  # noqa: SLF001 - the other half of it
        decoders = (
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in statement.exported_columns
        )
        names = [column.key or "" for column in statement.exported_columns]
        self._row: Any = namedtuple("_row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024 - known only here
        self._decoders = [(place, decode) for place, decode in enumerate(decoders) if decode is not None]

    def execute(self, **parameters: object) -> Any:  # noqa: ANN401 - a tuple with names
        """Run the statement; return the first row, with names and with values decoded by their columns' types, or None.

        Parameters go to the driver without SQLAlchemy's types.
        """
        row = self._execute(parameters)
        if row is None:
            return None
        values = list(row)
        for place, decode in self._decoders:
            values[place] = decode(values[place])
        return self._row(*values)

    def _execute(self, parameters: dict[str, object]) -> Sequence[Any] | None:
        database = self._database
        bound = parameters if self._positions is None else [parameters[name] for name in self._positions]
        with database._translating_failures, self._turn:  # noqa: SLF001 - the other half of it
            connection = database.engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(self._text, bound)
                row: Sequence[Any] | None = cursor.fetchone()
                cursor.close()
            except BaseException as error:
                # The next request must not get a connection whose server has gone.
                if database.engine.dialect.is_disconnect(error, connection.driver_connection, None):  # type: ignore[arg-type]
                    connection.invalidate()
                raise
            else:
                return row
            finally:
                connection.close()


def open(url: str, *, pool_size: int = 5, turns: int | None = None, prepared: bool = True) -> Database:  # noqa: A001 - storage.open() reads as what it is
    """Open the database at `url` (`sqlite:///…` or `postgresql://…`). It connects at the first statement.

    Args:
        url: the database URL.
        pool_size: the largest number of connections.
        turns: how many requests may hold a connection at once; the other connections are for threads that serve no
            request. By default, all connections are for requests.
        prepared: False for old poolers in transaction mode, which lose prepared statements: then the server keeps none.
    """
    parsed = read_url(url) if url.startswith("sqlite:") else make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return Database(parsed, pool_size=pool_size, turns=turns or pool_size, prepared=prepared)


def _build_writer(url: URL, pool_size: int, *, prepared: bool) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_POOL_WAIT_SECONDS,
            pool_reset_on_return=None,
            hide_parameters=True,
            connect_args={"isolation_level": None, "timeout": _SQLITE_BUSY_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "do_connect", lambda *_: demand_file(url))
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine
    from authserver.storage import postgres  # not every installation has the driver

    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_POOL_WAIT_SECONDS,
        # Nothing to reset: each transaction ends where it was begun, and all else is in autocommit.
        pool_reset_on_return=None,
        # A failing statement is logged with its parameters, which would include addresses and hashes (ASVS 16.2.5).
        hide_parameters=True,
        connect_args={**postgres.CONNECT_ARGUMENTS, **({} if prepared else {"prepare_threshold": None})},
    )
    engine.dialect.connect = postgres.connect  # type: ignore[assignment]  # the driver's own has no deadline
    # Before all other listeners: with SQL_ASCII, answers are bytes, and SQLAlchemy's own queries end in a traceback.
    event.listen(engine, "connect", _demand_utf8, insert=True)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _demand_utf8(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StorageUnavailableError(
            f"the database {connection.info.dbname} is in {encoding}, which cannot hold every name;"
            " create one with ENCODING 'UTF8' TEMPLATE template0"
        )


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    _use_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: Any) -> None:  # noqa: ANN401 - the driver's own type
    """Turn WAL on. The mode is stored in the file, so only the first connection ever has to do this."""
    for _ in range(_WAL_TRIES):
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode=WAL")
            return
        # Two connections that try at once would wait for each other, so SQLite fails one of them. A write waits for its
        # turn instead, and after the wait the other connection has turned WAL on.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")


class _TranslatingFailures:
    """Turns the drivers' exceptions into those of this room. Not a generator, because it wraps the hot statement."""

    def __init__(self, engine: Engine) -> None:
        """Collect the failures of the driver of `engine`, the only driver that is loaded."""
        driver: Any = engine.dialect.loaded_dbapi
        self.driver_error: type[Exception] = driver.Error
        self._driver = driver
        is_file = engine.dialect.name == "sqlite"
        self._complaint = (
            f"the database {find_path(engine.url)} cannot be used" if is_file else "the database did not answer"
        )
        self._unavailable = (
            ImpatientError,
            OperationalError,
            InterfaceError,
            PoolTimeoutError,
            # The hot statement bypasses SQLAlchemy and gets the driver's own exception.
            driver.OperationalError,
            driver.InterfaceError,
        )

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None:
            return
        if isinstance(error, MissingFileError):
            raise StorageUnavailableError(str(error)) from None
        if isinstance(error, self._unavailable) or is_no_database(error, self._driver):
            raise StorageUnavailableError(self._complaint) from error
        if getattr(getattr(error, "orig", error), "sqlstate", None) == INSUFFICIENT_PRIVILEGE:
            raise StorageUnavailableError(REFUSED_ROLE) from error
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            message = "the database closed the connection"
            raise StorageUnavailableError(message) from error
