"""A process that dies, as by `kill -9`, right before a change of a row of keys. Commits lie between the changes."""

import os
import signal
from collections.abc import Callable
from typing import Any

from authserver.storage import keys


def die_before(write: int) -> None:
    """Let this process die before change number `write`, counted from 0."""
    left = write

    def dying(original: Callable[..., None]) -> Callable[..., None]:
        def act(*arguments: Any, **named: Any) -> None:  # noqa: ANN401 - passed on
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            original(*arguments, **named)

        return act

    keys.add, keys.replace = dying(keys.add), dying(keys.replace)
