"""Who types the command: the actor of its audit records."""

import os
import pwd
from collections.abc import Mapping
from typing import Final

from authserver.protocol.text import is_storable

_LONGEST: Final = 64


def name_operator(environ: Mapping[str, str], uid: int) -> str:
    """`cli:NAME`: the login that used sudo, else the login of the process, else its number.

    A record for those who did nothing wrong: who may run commands here may write into the database, too.
    """
    return f"cli:{_find_login(environ, uid)}"


def _find_login(environ: Mapping[str, str], uid: int) -> str:
    before_sudo = environ.get("SUDO_USER", "")
    if 0 < len(before_sudo) <= _LONGEST and before_sudo.isprintable() and is_storable(before_sudo):
        return before_sudo
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's user often has no entry
        return str(uid)


def this_operator() -> str:
    """`name_operator` of this process."""
    return name_operator(os.environ, os.getuid())  # noqa: TID251 - no setting: who calls
