"""PostgreSQL that a server cannot work with as it is: another encoding, a role without rights, a pooler in between."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import sql
from sqlalchemy.engine import make_url

from authserver import storage
from authserver.cli.main import authserver
from authserver.storage.pooler import meets_pooler
from tests.support.world.databases import PostgresDatabases

_CANCEL_KEY = b"K\x00\x00\x00\x0c"  # BackendKeyData: the process and its secret, four bytes each


@pytest.fixture
def owned(postgresql_databases: PostgresDatabases) -> str:
    """The URL of an empty database, as its owner."""
    return postgresql_databases.empty()


@contextmanager
def another(url: str, options: str) -> Iterator[str]:
    """A database beside that of `url`, made with `options`."""
    name = f"{make_url(url).database}_other"
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 {options}")
        try:
            yield make_url(url).set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def serving_role(url: str) -> Iterator[str]:
    """The URL of a role that may connect and nothing else."""
    role = f"{make_url(url).database}_serving"
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'serving'").format(sql.Identifier(role)))
        try:
            yield make_url(url).set(username=role, password="serving").render_as_string(hide_password=False)
        finally:
            connection.execute(sql.SQL("DROP OWNED BY {0}").format(sql.Identifier(role)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str, *command: str) -> Result:
    monkeypatch.setenv("AUTHSERVER_HOME", str(folder / "home"))
    monkeypatch.setenv("AUTHSERVER_KEYS_DIR", str(folder / "keys"))
    monkeypatch.setenv("AUTHSERVER_DATABASE_URL", url)
    result = CliRunner().invoke(authserver, command)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
@pytest.mark.parametrize("command", ["init", "serve"])
def test_a_database_that_is_not_utf8_is_refused_in_one_line(
    owned: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str, command: str
) -> None:
    with another(owned, f"ENCODING '{encoding}' LOCALE 'C'") as url:
        result = run(monkeypatch, tmp_path, url, command)
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: the database {make_url(url).database} is in {encoding}, which cannot hold every name;"
        " create one with ENCODING 'UTF8' TEMPLATE template0\n"
    )


@pytest.mark.parametrize("command", [["init"], ["db", "upgrade"]], ids=" ".join)
def test_migrating_with_the_serving_role_is_one_line(
    owned: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str]
) -> None:
    with serving_role(owned) as url:
        result = run(monkeypatch, tmp_path, url, *command)
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: the role of the database URL lacks a right; migrate with the role that owns the tables:"
        " permission denied for schema public\n"
    )


@pytest.mark.parametrize("command", [["users", "list"], ["db", "current"], ["serve"]], ids=" ".join)
def test_a_role_without_the_rights_to_serve_is_one_line(
    postgresql_databases: PostgresDatabases, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str]
) -> None:
    with serving_role(postgresql_databases.migrated()) as url:
        result = run(monkeypatch, tmp_path, url, *command)
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: the role of the database URL lacks a right: permission denied for table alembic_version\n"
    )


@pytest.mark.parametrize("prepared", [True, False])
def test_statements_are_prepared_on_the_server_unless_that_is_switched_off(owned: str, *, prepared: bool) -> None:
    """A pooler in transaction mode hands the next statement to a server that has never heard of the prepared one."""
    database = storage.open(owned, pool_size=1, prepared=prepared)
    with database.read() as tx:
        for _ in range(10):
            tx.exec_driver_sql("SELECT 1 AS one")
        count = tx.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements").scalar_one()
    database.dispose()
    assert bool(count) is prepared


class Pooler:
    """Passes everything on, but names its own number as the process that serves, as PgBouncer does."""

    def __init__(self, server: Path, folder: Path) -> None:
        """Listen in `folder` for connections to `server`."""
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / server.name))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, far = self._listener.accept()[0], socket.socket(socket.AF_UNIX)
                far.connect(str(self._server))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError), source, sink:
            while data := source.recv(65536):
                before, key, after = data.partition(_CANCEL_KEY)
                sink.sendall(before + key + (b"\x7f\xff\xff\x01" + after[4:] if key else b""))


def test_a_pooler_between_is_noticed(owned: str, tmp_path: Path) -> None:
    url = make_url(owned)
    server = Path(str(url.query["host"])) / f".s.PGSQL.{url.port or 5432}"
    through = url.set(query={"host": str(tmp_path)}, port=None).render_as_string(hide_password=False)
    with closing(Pooler(server, tmp_path)):
        for address, expected in ((owned, False), (through, True)):
            database = storage.open(address, pool_size=1)
            assert meets_pooler(database) is expected
            database.dispose()


def test_a_file_has_no_pooler(tmp_path: Path) -> None:
    assert not meets_pooler(storage.open(f"sqlite:///{tmp_path}/authserver.db"))
