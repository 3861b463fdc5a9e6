"""Who types the command: the actor of its audit records."""

import os
import pwd
from typing import Final

from authserver.config import find_sudo_user
from authserver.protocol.text import is_storable

_LONGEST: Final = 64


def name_operator(sudo_user: str, uid: int) -> str:
    """`cli:NAME`: the login that used sudo, if it can be a name, else the login of the process, else its number.

    A record for those who did nothing wrong: who may run commands here may write into the database, too.
    """
    return f"cli:{_find_login(sudo_user, uid)}"


def _find_login(sudo_user: str, uid: int) -> str:
    if 0 < len(sudo_user) <= _LONGEST and sudo_user.isprintable() and is_storable(sudo_user):
        return sudo_user
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's user often has no entry
        return str(uid)


def this_operator() -> str:
    """`name_operator` of this process."""
    return name_operator(find_sudo_user(), os.getuid())
