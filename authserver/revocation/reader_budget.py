"""Limits how many bytes of whole windows one reader of the feed gets, so that no reader can use up a node's bandwidth.

An honest reader needs a window at its start and after a fail-over; then all processes that share its credentials ask at
once.
"""

import math
import threading
from typing import Final

from authserver.clock import Clock

AT_ONCE: Final = 256 * 2**20
"""Bytes of windows that a reader may get at once: some hundred processes that start together, with a large feed."""

PER_SECOND: Final = 8 * 2**20
"""Bytes per second that a reader may get over a long time."""


class ReaderBudget:
    """Counts bytes per reader, in this process. There are at most as many counters as registered resource servers.

    Safe to share between threads.
    """

    def __init__(self, clock: Clock) -> None:
        """Give every reader the full budget."""
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def spend(self, reader: str, size: int) -> int | None:
        """Take `size` bytes from the budget of `reader`; return the seconds to wait if nothing is left, else None.

        A reader with anything left gets the whole page. Otherwise a page larger than the budget could never be sent.
        """
        now = self._clock.monotonic()
        with self._lock:
            left, at = self._left.get(reader, (float(AT_ONCE), now))
            left = min(AT_ONCE, left + (now - at) * PER_SECOND)
            if left <= 0:
                return max(1, math.ceil(-left / PER_SECOND))
            self._left[reader] = (left - size, now)
        return None
