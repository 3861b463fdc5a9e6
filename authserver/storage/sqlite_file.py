"""The file of an SQLite database, named by its URL. Only code that creates a schema creates the file.

SQLite itself would create any file that a connection names, with the mode of the umask; `-wal` and `-shm` get the mode
of the file.
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
    """The file does not exist. The text is one line with its name and the remedy."""


def read_url(url: str) -> URL:
    """Parse `sqlite:////absolute/path`, whose path is percent-encoded as in any URL."""
    return URL.create("sqlite", database=unquote(url.removeprefix(_PREFIX)))


def create_file(url: URL) -> None:
    """Create the file if it is missing; make it and its companion files accessible only to the owner.

    Raises:
        OSError: the system refuses; `filename` is the path.
    """
    path = find_path(url)
    # Not O_EXCL: another process may create the same database at this moment, which is fine.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for aside in _ASIDE:
        file = path.with_name(path.name + aside)
        if file.exists() and file.stat().st_uid == os.geteuid():
            file.chmod(0o600)


def demand_file(url: URL) -> None:
    """Raise `MissingFileError` if there is no file: code that reads a database never creates one."""
    path = find_path(url)
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise MissingFileError(
            f"there is no database {path}; run authserver init to create it, or set AUTHSERVER_CONFIG or"
            " AUTHSERVER_HOME to those of an existing installation"
        ) from None
    except OSError:
        return  # the driver will say what is wrong


def find_path(url: URL) -> Path:
    """The path of the file."""
    return Path(url.database or "")


def is_no_database(error: BaseException | None, driver: Any) -> bool:  # noqa: ANN401 - a DBAPI module
    """Whether the driver's base exception says that the file is not a database, or is damaged."""
    bare = error.orig if isinstance(error, DBAPIError) else error
    return type(bare) is driver.DatabaseError
