"""Records every statement that a block sends to a database, whichever layer sends it.

PostgreSQL is watched at psycopg's cursors and at its own BEGIN/COMMIT commands, SQLite by the trace of its library.
Both are below SQLAlchemy, so statements that go straight to the driver are counted, too.
"""

import functools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.pool import Pool

_recordings: list[list[str]] = []


@contextmanager
def recording() -> Iterator[list[str]]:
    """Yield the list that fills with the text of each statement sent meanwhile, by any thread of this process."""
    statements: list[str] = []
    _recordings.append(statements)
    try:
        yield statements
    finally:
        _recordings.remove(statements)


def install() -> None:
    """Start watching; once per process, before the first engine is built."""
    for cursor_class in (psycopg.Cursor, psycopg.ServerCursor):
        for name in {"execute", "executemany", "stream", "copy"} & vars(cursor_class).keys():
            _watch(cursor_class, name)
    _watch(psycopg.BaseConnection, "_exec_command")
    event.listen(Pool, "connect", _trace_sqlite)


def _record(statement: object) -> None:
    text = statement.decode() if isinstance(statement, bytes) else str(statement)
    for statements in _recordings:
        statements.append(text)


def _watch(owner: type, name: str) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(original)
    def watched(self: object, statement: object, *args: object, **kwargs: object) -> object:
        _record(statement)
        return original(self, statement, *args, **kwargs)

    setattr(owner, name, watched)


def _trace_sqlite(connection: object, _record_of_pool: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.set_trace_callback(_record)
