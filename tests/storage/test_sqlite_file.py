"""The file of a SQLite database: whose it is, where it is, and what the command line says when it is none."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from authserver import storage
from authserver.cli.main import authserver
from authserver.records.failures import StorageUnavailableError
from authserver.storage import migrations
from tests.support.people.shell import load_every_command

_READING = [
    ["users", "list"],
    ["clients", "list"],
    ["sessions", "list", "--user", "ada@example.com"],
    ["audit", "list"],
    ["db", "current"],
    ["db", "check"],
    ["keys", "list"],
    ["serve"],
    ["db", "prune"],
]

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the installation in `home`, with its database where it is by default."""
    monkeypatch.setenv("AUTHSERVER_HOME", str(home))
    monkeypatch.setenv("AUTHSERVER_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.delenv("AUTHSERVER_DATABASE_URL", raising=False)

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(authserver, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    return run


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_the_database_and_what_lies_beside_it_are_their_owners(tmp_path: Path, umask: None) -> None:
    """In a folder that is open to all, too: it holds hashes, addresses and sealed keys."""
    tmp_path.chmod(0o777)
    database = storage.open(f"sqlite:///{tmp_path}/authserver.db")
    migrations.upgrade(database)
    with database.write() as tx:
        tx.exec_driver_sql("CREATE TABLE more (one)")
        assert {file.name: oct(mode(file)) for file in tmp_path.iterdir()} == {
            "authserver.db": "0o600",
            "authserver.db-wal": "0o600",
            "authserver.db-shm": "0o600",
        }
    database.dispose()


def test_a_database_that_was_open_to_others_is_closed_with_the_next_upgrade(tmp_path: Path) -> None:
    file = tmp_path / "authserver.db"
    file.touch(mode=0o644)
    file.chmod(0o644)
    database = storage.open(f"sqlite:///{file}")
    migrations.upgrade(database)
    database.dispose()
    assert mode(file) == 0o600


@pytest.mark.parametrize("command", _READING, ids=" ".join)
def test_what_reads_makes_no_database_and_names_the_remedy(run: Run, home: Path, command: list[str]) -> None:
    """Run from a wrong folder, it must not leave one behind that then looks like the installation."""
    result = run(*command)
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: there is no database {home}/authserver.db; run authserver init to create it, or set"
        " AUTHSERVER_CONFIG or AUTHSERVER_HOME to those of an existing installation\n"
    )
    assert not home.exists()


def test_an_empty_database_needs_init_and_an_old_one_an_upgrade(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "authserver.db").touch()
    assert run("users", "list").stderr == "Error: the database is empty; run: authserver init\n"
    assert run("init").exit_code == 0
    with closing(storage.open(f"sqlite:///{home}/authserver.db").engine.raw_connection()) as connection:
        connection.cursor().execute("UPDATE alembic_version SET version_num = '0001'")
    assert "run: authserver db upgrade" in run("users", "list").stderr


@pytest.mark.parametrize("name", ["ada's home", "50%", "%41", "what?", "a#b", "ünï", "a&b=c;d", "100%25"])
def test_home_may_have_any_name(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    home = tmp_path / name
    monkeypatch.setenv("AUTHSERVER_HOME", str(home))
    result = run("init")
    assert result.exit_code == 0, result.stderr
    assert (home / "authserver.db").exists()
    assert run("users", "list").exit_code == 0
    assert run("db", "check").exit_code == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([name, "keys"])


def test_the_url_of_a_file_is_percent_encoded(tmp_path: Path) -> None:
    database = storage.open(f"sqlite:///{tmp_path}/what%3F%20%25.db")
    migrations.upgrade(database)
    database.dispose()
    assert (tmp_path / "what? %.db").exists()


def no_database(file: Path) -> None:
    file.write_bytes(b"SQLite format 2" * 500)


def damaged(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000] + bytes(1000))


def directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def closed(file: Path) -> None:
    file.unlink()
    file.symlink_to("/proc/1/mem")  # no permission lets anybody open it as a database, root neither


@pytest.mark.parametrize("break_it", [no_database, damaged, directory, closed])
@pytest.mark.parametrize("command", [["users", "list"], ["init"], ["db", "upgrade"]], ids=" ".join)
def test_a_file_that_is_no_database_is_one_line_with_its_path(
    run: Run, home: Path, break_it: Callable[[Path], None], command: list[str]
) -> None:
    assert run("init").exit_code == 0
    break_it(home / "authserver.db")
    result = run(*command)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: the database {home}/authserver.db cannot be used: ")
    assert result.stderr.count("\n") == 1


def test_a_folder_that_cannot_hold_the_database_is_one_line_with_its_path(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHSERVER_DATABASE_URL", f"sqlite:///{tmp_path}/nowhere/authserver.db")
    assert run("init").stderr == (
        f"Error: the database {tmp_path}/nowhere/authserver.db cannot be used: no such file or directory\n"
    )


def test_a_full_disk_is_one_line_with_the_path(tmp_path: Path) -> None:
    database = storage.open(f"sqlite:///{tmp_path}/authserver.db", pool_size=1)
    migrations.upgrade(database)
    with database.read() as tx:  # the pool has one connection
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    full = pytest.raises(StorageUnavailableError, match=f"{tmp_path}/authserver.db cannot be used")
    with full, database.write() as tx:
        tx.exec_driver_sql("CREATE TABLE more AS SELECT zeroblob(1000000) AS much")
    database.dispose()


def test_every_command_with_a_listing_is_among_those_that_read() -> None:
    listing = {
        (group.name, name)
        for group in load_every_command().commands.values()
        for name in getattr(group, "commands", {})
        if name in {"list", "current", "check"}
    }
    assert listing == {(words[0], words[1]) for words in _READING if words[1:] and words[1] != "prune"}
