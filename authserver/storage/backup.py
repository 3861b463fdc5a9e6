"""Backs up an SQLite database while servers write to it."""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from authserver.storage.database import Database


class BackupRefusedError(Exception):
    """No backup was made. The text says why and what to do instead."""


def back_up(database: Database, target: Path) -> int:
    """Write the committed state of one moment to the new file `target`, mode 0600, and return its size in bytes.

    The copy is one read transaction of SQLite's backup API, so writers continue meanwhile (WAL). It is checked and
    synced before it gets its name, so an interrupted backup leaves no file `target`.

    Raises:
        BackupRefusedError: the database is not SQLite, `target` exists, or it cannot be written.
    """
    source = database.engine.url.database
    if database.dialect != "sqlite" or not source:
        raise BackupRefusedError("this command backs up only SQLite; for PostgreSQL use pg_dump")
    if not Path(source).is_file():
        raise BackupRefusedError(f"{source}: there is no database")
    if os.path.lexists(target):
        raise BackupRefusedError(f"{target}: already exists and is not overwritten")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # mode 0600
        os.close(descriptor)
        unnamed = Path(name)
        try:
            _copy(database, unnamed)
            _sync(unnamed)
            os.link(unnamed, target)  # unlike a rename, it replaces nothing
        finally:
            unnamed.unlink()
        _sync(target.parent)
        return target.stat().st_size
    except FileExistsError:
        raise BackupRefusedError(f"{target}: already exists and is not overwritten") from None
    except OSError as error:
        raise BackupRefusedError(f"{target}: {error.strerror}") from None
    except sqlite3.Error as error:
        raise BackupRefusedError(f"{target}: {error}") from None


def _copy(database: Database, target: Path) -> None:
    with database.read() as tx, closing(sqlite3.connect(target, isolation_level=None)) as copy:
        source: Any = tx.connection.driver_connection
        source.backup(copy)  # all pages at once: a copy in steps restarts after each write of a server
        # Without this, reading the copy would create -wal and -shm files beside it.
        copy.execute("PRAGMA journal_mode=DELETE")
        (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(f"the copy is damaged, and so may the database be: {verdict}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
