"""How much of whole windows of the feed one reader may have, so that none of them makes a node send all that it can.

An honest reader takes a window at its start, and after a fail-over: all processes that share its credentials at once.
"""

import math
import threading
from typing import Final

from authserver.clock import Clock

AT_ONCE: Final = 256 * 2**20
"""Bytes of windows that a reader may have at once: some hundred processes that start together, with a large feed."""

PER_SECOND: Final = 8 * 2**20
"""Bytes that it may have for good."""


class ReaderBudget:
    """Counts per reader, in this process; there are as many counters as registered resource servers that read.

    Safe to share between threads.
    """

    def __init__(self, clock: Clock) -> None:
        """Everybody has all of it."""
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def spend(self, reader: str, size: int) -> int | None:
        """Take `size` bytes for `reader`; the seconds to wait where it has had too much, else None.

        Who has anything left gets a page whole, or one that is larger than the budget would never be sent.
        """
        now = self._clock.monotonic()
        with self._lock:
            left, at = self._left.get(reader, (float(AT_ONCE), now))
            left = min(AT_ONCE, left + (now - at) * PER_SECOND)
            if left <= 0:
                return max(1, math.ceil(-left / PER_SECOND))
            self._left[reader] = (left - size, now)
        return None
