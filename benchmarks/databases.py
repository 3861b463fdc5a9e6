"""The databases for the benchmarks: SQLite files, and a PostgreSQL that commits durably."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from benchmarks.processes import tree_cpu_seconds
from tests.support.world.postgres import running_postgres

_PREFIX = "authserver_bench"


@dataclass(frozen=True, slots=True)
class Databases:
    """A kind of database. `create(name)` creates an empty one and returns its URL."""

    name: str
    create: Callable[[str], str]
    cpu_seconds: Callable[[], float | None]


def sqlite_databases(folder: Path) -> Databases:
    """Use files in `folder`. SQLite uses the CPU time of the process that opens a file."""
    return Databases("SQLite", lambda name: f"sqlite:///{folder / name}.sqlite", lambda: None)


@contextmanager
def postgres_databases() -> Iterator[Databases]:
    """Use the server `AUTHSERVER_TEST_POSTGRES`, or start one. The created databases are dropped afterwards."""
    given = os.environ.get("AUTHSERVER_TEST_POSTGRES")
    if given is not None:
        with _databases_on(given) as databases:
            yield databases
        return
    # The tests' settings do not wait for the disk. With them a benchmark would measure something else.
    with running_postgres(settings=("listen_addresses=",)) as url, _databases_on(url) as databases:
        yield databases


@contextmanager
def _databases_on(maintenance_url: str) -> Iterator[Databases]:
    url = make_url(maintenance_url).set(drivername="postgresql")
    made: list[str] = []
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        version = connection.info.server_version // 10000
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        backend = None if row is None else row[0]

        def create(name: str) -> str:
            database = f"{_PREFIX}_{os.getpid()}_{name}"
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
            made.append(database)
            return url.set(database=database).render_as_string(hide_password=False)

        try:
            yield Databases(f"PostgreSQL {version}", create, lambda: _server_cpu_seconds(backend))
        finally:
            for database in made:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))


def _server_cpu_seconds(backend: int | None) -> float | None:
    """Measure the CPU time of the server whose child is `backend`; None if it runs on another machine."""
    try:
        status = Path(f"/proc/{backend}/status").read_text()
    except OSError:
        return None
    parent = next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:"))
    name = Path(f"/proc/{backend}/comm").read_text().strip()
    return tree_cpu_seconds(int(parent)) if name.startswith("postgres") else None
