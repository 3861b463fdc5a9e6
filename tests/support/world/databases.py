"""A new database for each test, quickly: one of each kind is migrated, and then copied."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Literal, Protocol

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from authserver import storage
from authserver.storage import migrations
from authserver.storage.schema import Base

Backend = Literal["sqlite", "postgresql"]
BACKENDS: tuple[Backend, ...] = ("sqlite", "postgresql")


class Databases(Protocol):
    """Makes databases of one kind."""

    def migrated(self) -> str:
        """Make a database with the newest schema and no rows; return its URL."""
        ...

    def empty(self) -> str:
        """Make a database without any table; return its URL."""
        ...

    def count_made(self) -> tuple[int, ...]:
        """The number of databases so far, for `forget`."""
        ...

    def forget(self, but: tuple[int, ...] = (0, 0)) -> None:
        """Remove the databases made since `count_made` returned `but`, or all."""
        ...


class SqliteDatabases:
    """SQLite databases: files in one folder."""

    def __init__(self, folder: Path) -> None:
        """Keep all files in `folder`."""
        self._folder = folder
        self._numbers = count()
        self._template: Path | None = None
        self._made: list[Path] = []

    def empty(self) -> str:
        """See `Databases.empty`."""
        path = self._new_path()
        path.touch()
        return f"sqlite:///{path}"

    def migrated(self) -> str:
        """See `Databases.migrated`."""
        if self._template is None:
            self._template = self._new_path()
            migrate(f"sqlite:///{self._template}")
        path = self._new_path()
        shutil.copyfile(self._template, path)
        return f"sqlite:///{path}"

    def count_made(self) -> tuple[int, ...]:
        """See `Databases.count_made`."""
        return (len(self._made),)

    def forget(self, but: tuple[int, ...] = (0, 0)) -> None:
        """See `Databases.forget`."""
        while len(self._made) > but[0]:
            path = self._made.pop()
            if path != self._template:
                for file in self._folder.glob(f"{path.name}*"):
                    file.unlink(missing_ok=True)

    def _new_path(self) -> Path:
        self._made.append(self._folder / f"{next(self._numbers)}.sqlite")
        return self._made[-1]


class PostgresDatabases:
    """PostgreSQL databases on one server.

    Making a database costs fifty times as much as emptying one. So a migrated one is used again, unless the test has
    changed more than its rows.
    """

    def __init__(self, maintenance_url: str, prefix: str) -> None:
        """Connect to `maintenance_url`, whose role may create databases; all names begin with `prefix`."""
        self._url = make_url(maintenance_url).set(drivername="postgresql")
        self._connection = psycopg.connect(self._url.render_as_string(hide_password=False), autocommit=True)
        self._prefix = prefix
        self._numbers = count()
        self._template: tuple[str, str] | None = None
        self._made: list[str] = []
        self._migrated: list[str] = []
        self._clean: list[str] = []
        self._cleaners: dict[str, psycopg.Connection] = {}

    def empty(self) -> str:
        """See `Databases.empty`."""
        return self._name(self._create("template0", self._made))

    def migrated(self) -> str:
        """See `Databases.migrated`."""
        if self._clean:
            self._migrated.append(self._clean.pop())
            return self._name(self._migrated[-1])
        if self._template is None:
            template = self._create("template0", [])
            migrate(self._name(template))
            with psycopg.connect(self._name(template)) as connection:
                self._template = template, _read_shape(connection)
        return self._name(self._create(self._template[0], self._migrated))

    def count_made(self) -> tuple[int, ...]:
        """See `Databases.count_made`."""
        return len(self._made), len(self._migrated)

    def forget(self, but: tuple[int, ...] = (0, 0)) -> None:
        """See `Databases.forget`. It ends connections that are still open."""
        while len(self._made) > but[0]:
            self._drop(self._made.pop())
        while len(self._migrated) > but[1]:
            name = self._migrated.pop()
            if self._empty(name):
                self._clean.append(name)
            else:
                self._drop(name)

    def close(self) -> None:
        """Remove all databases from the server."""
        self.forget()
        for name in self._clean:
            self._drop(name)
        if self._template is not None:
            self._drop(self._template[0])
        self._connection.close()

    def _name(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _create(self, template: str, made: list[str]) -> str:
        name = f"{self._prefix}_{next(self._numbers)}"
        self._connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        made.append(name)
        return name

    def _empty(self, name: str) -> bool:
        """Remove all rows except those of the migrations; False if the schema is not the original one."""
        cleaner = self._cleaners.get(name)
        if cleaner is None:
            # The connection stays open: connecting and reading the catalogue again cost more than all the rest.
            cleaner = self._cleaners[name] = psycopg.connect(self._name(name), autocommit=True)
        cleaner.execute(_TERMINATE_OTHERS)
        if self._template is None or _read_shape(cleaner) != self._template[1]:
            return False
        with cleaner.transaction():
            for table in reversed(Base.metadata.sorted_tables):
                if table.name not in {"feed_counter", "clock_mark"}:
                    cleaner.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)), prepare=True)
            cleaner.execute("UPDATE feed_counter SET position = 0", prepare=True)
            cleaner.execute("UPDATE clock_mark SET vouched_at = NULL", prepare=True)
        return True

    def _drop(self, name: str) -> None:
        if name in self._cleaners:
            self._cleaners.pop(name).close()
        self._connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _read_shape(connection: psycopg.Connection) -> str:
    return str(connection.execute(_SHAPE, prepare=True).fetchone())


_TERMINATE_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

_SHAPE = """
SELECT (SELECT string_agg(version_num, ',') FROM alembic_version), (SELECT count(*) FROM feed_counter),
  (SELECT count(*) FROM clock_mark),
  (SELECT md5(string_agg(concat_ws(' ', relname, attname, atttypid, attnotnull, attisdropped, reloptions), ','
     ORDER BY relname, attnum)) FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
   WHERE relnamespace = 'public'::regnamespace),
  (SELECT md5(string_agg(conname || pg_get_constraintdef(oid), ',' ORDER BY conname)) FROM pg_constraint
   WHERE connamespace = 'public'::regnamespace),
  (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal), (SELECT count(*) FROM pg_proc WHERE pronamespace =
   'public'::regnamespace)
"""


def migrate(url: str) -> None:
    """Migrate the database at `url` to the newest schema."""
    with opened(url) as database:
        migrations.upgrade(database)


@contextmanager
def opened(url: str, *, pool_size: int = 5) -> Iterator[storage.Database]:
    """Open a database during the block."""
    database = storage.open(url, pool_size=pool_size)
    try:
        yield database
    finally:
        database.dispose()
