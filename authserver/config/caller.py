"""The caller of this process, according to the environment. It is not a setting, and never a reason to refuse."""

import os
from typing import Final

_OF_SUDO: Final = "SUDO_USER"


def find_sudo_user() -> str:
    """The login that used sudo; empty without sudo. NOT checked: anybody can set this variable."""
    return os.environ.get(_OF_SUDO, "")
