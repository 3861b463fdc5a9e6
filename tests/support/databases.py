"""A fresh database for each test, quickly: both kinds are migrated once and then copied."""

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

Backend = Literal["sqlite", "postgresql"]
BACKENDS: tuple[Backend, ...] = ("sqlite", "postgresql")


class Databases(Protocol):
    """Makes databases of one kind."""

    def migrated(self) -> str:
        """The URL of a new database with the newest schema and no rows."""
        ...

    def empty(self) -> str:
        """The URL of a new database without any table."""
        ...


class SqliteDatabases:
    """Files in one folder."""

    def __init__(self, folder: Path) -> None:
        """Keep all files in `folder`."""
        self._folder = folder
        self._numbers = count()
        self._template: Path | None = None

    def empty(self) -> str:
        """See `Databases.empty`."""
        return f"sqlite:///{self._new_path()}"

    def migrated(self) -> str:
        """See `Databases.migrated`."""
        if self._template is None:
            self._template = self._new_path()
            migrate(f"sqlite:///{self._template}")
        path = self._new_path()
        shutil.copyfile(self._template, path)
        return f"sqlite:///{path}"

    def _new_path(self) -> Path:
        return self._folder / f"{next(self._numbers)}.sqlite"


class PostgresDatabases:
    """Databases on one server; `forget` drops what was made since the last call."""

    def __init__(self, maintenance_url: str, prefix: str) -> None:
        """Connect to `maintenance_url`, whose role may create databases; all names begin with `prefix`."""
        self._url = make_url(maintenance_url).set(drivername="postgresql")
        self._connection = psycopg.connect(self._url.render_as_string(hide_password=False), autocommit=True)
        self._prefix = prefix
        self._numbers = count()
        self._template: str | None = None
        self._made: list[str] = []

    def empty(self) -> str:
        """See `Databases.empty`."""
        return self._create("template0")

    def migrated(self) -> str:
        """See `Databases.migrated`."""
        if self._template is None:
            migrate(self._create("template0"))
            self._template = self._made.pop()
        return self._create(self._template)

    def forget(self) -> None:
        """Drop the databases of the test that ended, whoever is still connected to them."""
        while self._made:
            self._drop(self._made.pop())

    def close(self) -> None:
        """Leave nothing behind on the server."""
        self.forget()
        if self._template is not None:
            self._drop(self._template)
        self._connection.close()

    def _create(self, template: str) -> str:
        name = f"{self._prefix}_{next(self._numbers)}"
        self._connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        self._made.append(name)
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _drop(self, name: str) -> None:
        self._connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest schema."""
    with opened(url) as database:
        migrations.upgrade(database)


@contextmanager
def opened(url: str, *, pool_size: int = 5) -> Iterator[storage.Database]:
    """An open database for the length of a block."""
    database = storage.open(url, pool_size=pool_size)
    try:
        yield database
    finally:
        database.dispose()
