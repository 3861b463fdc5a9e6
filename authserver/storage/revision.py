"""Reads the schema revision of a database, and decides whether this release can work with it.

A server needs only this file; `migrations` changes the schema. Revisions are numbered, and the files in
`find_directory()` begin with their number. So reading the revision needs no Alembic, which would take a tenth of a
worker's memory.
"""

from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import authserver
from authserver.records.failures import UnknownRevisionError
from authserver.storage.database import Database

_DIGITS: Final = 4
_UNDEFINED_TABLE: Final = "42P01"  # PostgreSQL's SQLSTATE; SQLite has only a message


def current(database: Database) -> str | None:
    """The revision of the database, or None if no migration has run."""
    with database.read() as tx:
        try:
            revision: str | None = tx.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _UNDEFINED_TABLE or "no such table" in str(error.orig):
                return None
            raise
    return revision


@cache
def head() -> str:
    """The revision of this release: the highest number among the names of the migrations."""
    numbers = [file.name[:_DIGITS] for file in find_directory().glob(f"versions/{'[0-9]' * _DIGITS}_*.py")]
    if not numbers:
        raise FileNotFoundError(f"there are no migrations in {find_directory()}")
    return max(numbers)


def is_current(database: Database) -> bool:
    """Whether this release can work with the schema: it is at `head()`, or a newer release has migrated it."""
    try:
        return reaches_head(current(database))
    except UnknownRevisionError:
        return False


def reaches_head(revision: str | None) -> bool:
    """Whether a schema at `revision` needs no migration of this release. Raises `UnknownRevisionError`."""
    if revision is None:
        return False
    if len(revision) != _DIGITS or not (revision.isascii() and revision.isdigit()):
        raise UnknownRevisionError(f"the database is at revision {revision!r}, which authserver does not know")
    return revision >= head()


def number_after(revision: str | None) -> str:
    """The name of the revision that follows `revision`."""
    return f"{int(revision or 0) + 1:0{_DIGITS}}"


def find_directory() -> Path:
    """The folder of migrations: in the installed package, or beside it in a checkout."""
    package = Path(authserver.__file__).parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"
