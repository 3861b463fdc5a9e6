"""Backs up the database of an installation while it serves."""

from dataclasses import dataclass
from pathlib import Path

from authserver.storage import Database, backup, revision


@dataclass(frozen=True, slots=True)
class BackedUp:
    """The size of the copy in bytes, and the revision of its schema."""

    size: int
    revision: str | None


@dataclass(frozen=True, slots=True)
class BackupRefused:
    """No copy was made; `reason` is a sentence for the operator."""

    reason: str


def back_up(database: Database, file: Path) -> BackedUp | BackupRefused:
    """Copy the committed state of one moment to the new `file`, mode 0600. Only for SQLite; PostgreSQL has pg_dump."""
    try:
        size = backup.back_up(database, file)
    except backup.BackupRefusedError as error:
        return BackupRefused(str(error))
    return BackedUp(size, revision.current(database))
