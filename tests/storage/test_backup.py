"""A backup of SQLite while servers write: one state, whole, for its owner alone; restored, it serves."""

import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from authserver import storage
from authserver.storage import Database
from authserver.storage.backup import BackupRefusedError, back_up
from tests.support.world.databases import SqliteDatabases
from tests.support.world.server import install

BACKUPS = 5


@pytest.fixture
def database(sqlite_databases: SqliteDatabases) -> Iterator[Database]:
    opened = storage.open(sqlite_databases.migrated())
    yield opened
    opened.dispose()


def count_pairs(file: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(file)) as copy:
        left, right = copy.execute("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)").fetchone()
    return int(left), int(right)


def test_each_backup_under_load_is_one_state_that_has_all_that_was_committed(
    database: Database, tmp_path: Path
) -> None:
    """A writer commits a pair of rows at a time: no copy has half a pair, or lacks what was committed before it."""
    with database.write() as tx:
        tx.execute(text("CREATE TABLE a (ballast BLOB)"))
        tx.execute(text("CREATE TABLE b (ballast BLOB)"))
    committed, over, going_on = [0], threading.Event(), threading.Event()

    def write() -> None:
        while not over.is_set():
            with database.write() as tx:
                tx.execute(text("INSERT INTO a VALUES (randomblob(20000))"))
                tx.execute(text("INSERT INTO b VALUES (randomblob(20000))"))
            committed[0] += 1
            if committed[0] >= BACKUPS:
                going_on.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert going_on.wait(30)
        seen = []
        for number in range(BACKUPS):
            before = committed[0]
            size = back_up(database, tmp_path / f"{number}.db")
            assert size == (tmp_path / f"{number}.db").stat().st_size
            seen.append((before, *count_pairs(tmp_path / f"{number}.db")))
    finally:
        over.set()
        writer.join()
    assert all(before <= a == b for before, a, b in seen), seen
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"{number}.db" for number in range(BACKUPS)]


def test_a_backup_is_for_its_owner_alone(database: Database, tmp_path: Path) -> None:
    back_up(database, tmp_path / "copy.db")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_nothing_is_overwritten(database: Database, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "copy.db"
    if kind == "file":
        target.write_text("the backup of yesterday")
    else:
        target.symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(BackupRefusedError, match=r"copy\.db: already exists"):
        back_up(database, target)
    assert [file.name for file in tmp_path.iterdir()] == ["copy.db"]
    assert kind != "file" or target.read_text() == "the backup of yesterday"


def test_a_backup_that_fails_leaves_no_file(database: Database, tmp_path: Path) -> None:
    with pytest.raises(BackupRefusedError, match="No such file or directory"):
        back_up(database, tmp_path / "nowhere" / "copy.db")
    with database.write() as tx:
        tx.execute(text("CREATE TABLE a (ballast BLOB)"))
        tx.execute(text("INSERT INTO a VALUES (zeroblob(100000))"))
    database.dispose()
    file = Path(str(database.engine.url.database))
    with file.open("r+b") as damaged:
        damaged.seek(-5 * 4096, os.SEEK_END)
        damaged.write(b"\xff" * 4 * 4096)
    with pytest.raises(BackupRefusedError, match=r"copy\.db: "):
        back_up(database, tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_postgresql_has_a_tool_of_its_own(tmp_path: Path) -> None:
    database = storage.open("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(BackupRefusedError, match="pg_dump"):
        back_up(database, tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_a_backup_is_restored_as_the_documents_say(tmp_path: Path, sqlite_databases: SqliteDatabases) -> None:
    """docs/deployment.md: stop, put the copy in place, remove -wal and -shm, `db upgrade`, `db restored`, serve."""
    file = Path(sqlite_databases.migrated().removeprefix("sqlite:///"))
    installation = install(tmp_path, f"sqlite:///{file}")
    installation.type("users", "create", "ada@example.test", "--password-stdin", stdin="nine lives and a gate\n")
    made = installation.type("db", "backup", str(tmp_path / "copy.db"))
    assert (made.exit_code, "the master key is not in it" in made.stdout) == (0, True), made.output
    assert installation.type("db", "backup", str(tmp_path / "copy.db")).exit_code == 1
    installation.type("users", "delete", "ada@example.test", "--yes")
    for old in file.parent.glob(f"{file.name}-*"):
        old.unlink()
    shutil.move(tmp_path / "copy.db", file)
    for words in (("db", "upgrade"), ("db", "check"), ("db", "restored", "--yes"), ("keys", "list")):
        done = installation.type(*words)
        assert done.exit_code == 0, done.output
    assert "ada@example.test" in installation.type("users", "list").stdout
