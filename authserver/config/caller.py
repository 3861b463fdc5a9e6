"""Who called this process, as far as the environment says: no setting, and never a reason to refuse."""

import os
from typing import Final

_OF_SUDO: Final = "SUDO_USER"


def find_sudo_user() -> str:
    """The login that used sudo, unchecked; empty without sudo. Anybody may have written it."""
    return os.environ.get(_OF_SUDO, "")
