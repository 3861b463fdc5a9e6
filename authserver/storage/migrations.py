"""Migrates a database to the schema of this release, and compares the schema with what this release expects.

Migrations go forward only, in one transaction: a killed migration leaves the database unchanged, and two nodes that
migrate at once do so one after the other. Revisions are numbered. The previous release works with each new revision, so
its nodes continue to serve while the new ones start.

It imports Alembic, so the command line imports it only in commands that need it. `revision` has what a server needs.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, inspect
from sqlalchemy.exc import DBAPIError, OperationalError

from authserver.records.failures import StorageUnavailableError
from authserver.storage.database import INSUFFICIENT_PRIVILEGE, REFUSED_ROLE, Database
from authserver.storage.revision import current, find_directory, reaches_head
from authserver.storage.schema import Base
from authserver.storage.sqlite_file import create_file

COMPARISON: Final[Mapping[str, Any]] = MappingProxyType({"compare_type": True, "compare_server_default": True})
"""What Alembic compares, besides names, between a database and the models."""

_ONE_AT_A_TIME = threading.Lock()  # within this process: Alembic's context is a global
_TURN_SECONDS = 60  # how long one migration waits for another
_LOCK_SECONDS = 10  # twice as long as any statement of a serving node may take
_ADVISORY_LOCK = int.from_bytes(b"authserv")


def upgrade(database: Database) -> str | None:
    """Migrate the schema to `revision.head()`; return its earlier revision, or None if there was no schema.

    A schema of a newer release is not changed. Raises `UnknownRevisionError` for a revision that is not ours, and
    `StorageUnavailableError` if the database is unreachable or its tables are locked for too long.
    """
    if database.dialect == "sqlite":
        _make_file(database)
    before = current(database)
    if not reaches_head(before):
        config = Config()
        config.set_main_option("script_location", str(find_directory()).replace("%", "%%"))
        with _ONE_AT_A_TIME:
            command.upgrade(attach(config, database), "head")
    return before


def _make_file(database: Database) -> None:
    try:
        create_file(database.engine.url)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise StorageUnavailableError(f"the database {error.filename} cannot be used: {reason}") from None


def attach(config: Config, database: Database) -> Config:
    """Put `database` into `config`, where `migrations/env.py` finds it; return `config`."""
    config.attributes["database"] = database
    return config


def check(database: Database) -> list[str]:
    """List the differences between the schema and what this release expects, one sentence each."""
    with database.read() as tx:
        context = MigrationContext.configure(tx, opts=dict(COMPARISON))
        found = compare_metadata(context, Base.metadata)
        changes = [part for change in found for part in (change if isinstance(change, list) else [change])]
        return [*map(_say_change, changes), *_compare_checks(tx)]


@contextmanager
def hold(database: Database) -> Iterator[Connection]:
    """A write transaction for changing the schema; only one runs at a time.

    The connection does not return to the pool, because its time-outs and SQLite's foreign key setting differ from those
    of requests.
    """
    try:
        with database.engine.connect() as connection:
            connection.detach()
            if database.dialect == "sqlite":
                yield from _hold_sqlite(connection)
            else:
                yield from _hold_postgres(connection)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == INSUFFICIENT_PRIVILEGE:
            raise StorageUnavailableError(f"{REFUSED_ROLE}; migrate with the role that owns the tables") from error
        if not isinstance(error, OperationalError):
            raise
        raise StorageUnavailableError("the database did not let the migration have what it needs") from error


def _hold_sqlite(connection: Connection) -> Iterator[Connection]:
    driver: Any = connection.connection.dbapi_connection
    driver.execute(f"PRAGMA busy_timeout={_TURN_SECONDS * 1000}")
    # Altering a table copies it and drops the old one, which would delete the rows that refer to it. Inside a
    # transaction this pragma has no effect, so it comes before.
    driver.execute("PRAGMA foreign_keys=OFF")
    with connection.begin():
        yield connection
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise ValueError(f"the migration left {len(broken)} rows that refer to nothing; it was rolled back")


def _hold_postgres(connection: Connection) -> Iterator[Connection]:
    driver: Any = connection.connection.dbapi_connection
    driver.waits_for_ever = True
    with connection.begin():
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_TURN_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        # A migration that waits for a table blocks every request behind it, so it gives up and can be run again.
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
        yield connection


_WORDS: Final = {"add": "is missing", "remove": "should not be there", "modify": "is not what it should be"}


def _say_change(change: tuple[Any, ...]) -> str:
    """Describe one of Alembic's differences as a sentence about the database."""
    verb, _, kind = change[0].partition("_")
    if verb == "modify":  # (what, schema, table, column, …)
        kind, subject = f"{kind.replace('_', ' ')} of column", f"{change[2]}.{change[3]}"
    elif kind == "column":  # (what, schema, table, Column)
        subject = f"{change[2]}.{change[3].name}"
    else:  # (what, Table | Index | Constraint)
        subject = str(change[1].name)
    return f"{kind} {subject} {_WORDS[verb]}"


def _compare_checks(tx: Connection) -> Iterator[str]:
    """Compare check constraints by name, because Alembic does not."""
    inspector = inspect(tx)
    for name in sorted(set(inspector.get_table_names()) & Base.metadata.tables.keys()):
        constraints = Base.metadata.tables[name].constraints
        expected = {str(one.name) for one in constraints if isinstance(one, CheckConstraint)}
        present = {str(one["name"]) for one in inspector.get_check_constraints(name)}
        yield from (f"check {one} is missing" for one in sorted(expected - present))
        yield from (f"check {one} should not be there" for one in sorted(present - expected))
