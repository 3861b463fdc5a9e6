"""Compiles what depends only on the code once per process, not again in each of a few thousand tests.

Each test has its own application and engine, and would compile a hundred URL rules, its statements and its templates:
two thirds of its time, with the same result each time. A server also compiles each of them only once.
This file replaces internals of Jinja, SQLAlchemy and Werkzeug. Before a release `make test-plain` runs without it.
"""

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any

from jinja2 import Environment
from sqlalchemy import Connection, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Engine
from werkzeug.routing import Rule

_STATEMENTS: dict[Any, Any] = {}


def install() -> None:
    """Install the replacements; once per process, before the first engine is built."""
    _remember(Rule, "_compile_builder", lambda rule, *options: (*rule._trace, repr(rule.defaults), *options))
    # A file name stands for the environment too: no template of ours is read by two.
    _remember(Environment, "compile", lambda _environment, *template: template)
    for dialect in (PGDialect_psycopg, SQLiteDialect_pysqlite):
        # SQLAlchemy remembers per dialect, by identity; here one engine's dialect is like the other's. Replacing
        # methods of a class that is not ours is what mypy objects to, and the purpose.
        dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]  # see above
        dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]  # see above
    event.listen(Engine, "engine_connect", _share_statements)


def _share_statements(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_STATEMENTS)


def _remember(owner: type, name: str, key: Callable[..., Hashable]) -> None:
    original: Callable[..., Any] = getattr(owner, name)
    known: dict[Hashable, Any] = {}

    @wraps(original)
    def remembering(self: object, *arguments: Hashable) -> object:
        asked = key(self, *arguments)
        if asked not in known:
            known[asked] = original(self, *arguments)
        return known[asked]

    setattr(owner, name, remembering)
