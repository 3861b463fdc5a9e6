"""The operator who runs the command, as the actor of its audit records."""

import os
import pwd
from typing import Final

from authserver.config import find_sudo_user
from authserver.protocol.text import is_storable

_LONGEST: Final = 64


def name_operator(sudo_user: str, uid: int) -> str:
    """Return `cli:NAME`. NAME is the valid login that used sudo, else the login of the process, else its number.

    This is no proof of who acted, because an operator who can run commands can also write to the database.
    """
    return f"cli:{_find_login(sudo_user, uid)}"


def _find_login(sudo_user: str, uid: int) -> str:
    if 0 < len(sudo_user) <= _LONGEST and sudo_user.isprintable() and is_storable(sudo_user):
        return sudo_user
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # the user of a container often has no entry
        return str(uid)


def this_operator() -> str:
    """Return the operator of this process, as `cli:NAME`."""
    return name_operator(find_sudo_user(), os.getuid())
