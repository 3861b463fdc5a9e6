"""The file of a SQLite database: where its URL says it is, made by whoever creates a schema and by nobody else.

SQLite would make a file wherever a connection names one, readable as the umask allows; `-wal` and `-shm` take after it.
"""

import os
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

_PREFIX: Final = "sqlite:///"
_ASIDE: Final = ("", "-wal", "-shm")


class MissingFileError(Exception):
    """There is no such file. The text is one line that names it and the remedy."""


def read_url(url: str) -> URL:
    """The parts of `sqlite:////absolute/path`, whose path is percent-encoded as in any URL."""
    return URL.create("sqlite", database=unquote(url.removeprefix(_PREFIX)))


def create_file(url: URL) -> None:
    """Make the file if there is none, and close it, and what lies beside it, to everybody but its owner.

    Raises:
        OSError: the system refuses; `filename` says where.
    """
    path = find_path(url)
    # Not O_EXCL: another process may create the same database at this moment, and it is then the same file.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for aside in _ASIDE:
        file = path.with_name(path.name + aside)
        if file.exists() and file.stat().st_uid == os.geteuid():
            file.chmod(0o600)


def demand_file(url: URL) -> None:
    """Raise `MissingFileError` where there is no file: what reads a database never makes one."""
    path = find_path(url)
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise MissingFileError(
            f"there is no database {path}; run authserver init to create it, or set AUTHSERVER_HOME to the folder of"
            " an existing installation"
        ) from None
    except OSError:
        return  # the driver says what is wrong


def find_path(url: URL) -> Path:
    """Where the file is."""
    return Path(url.database or "")


def is_no_database(error: BaseException | None, driver: Any) -> bool:  # noqa: ANN401 - a DBAPI module
    """Whether the driver says, by its barest failure, that the file is of another kind, or damaged."""
    bare = error.orig if isinstance(error, DBAPIError) else error
    return type(bare) is driver.DatabaseError
