"""Counters for rate limits in this process's memory, bounded.

The library's own keep every key until it expires, look through all of them a hundred times a second, and start a
thread for it: somebody who tries a million accounts would fill the memory and slow everybody down.
"""

import threading
from collections import OrderedDict
from typing import Final

from limits.storage import Storage
from typing_extensions import override

from authserver.clock import Clock

MOST_COUNTERS: Final = 100_000


class BoundedCounters(Storage):
    """At most `MOST_COUNTERS` counters; the one that was begun first gives way. Safe to share between threads."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Clock, most: int = MOST_COUNTERS) -> None:
        """Count by `clock`."""
        super().__init__()
        self._clock = clock
        self._most = most
        self._counters: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    @override
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()

    @override
    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._clock.seconds()
        with self._lock:
            count, ends_at = self._counters.get(key, (0, 0.0))
            if ends_at <= now:
                self._counters.pop(key, None)
                count, ends_at = 0, now + expiry
            self._counters[key] = count + amount, ends_at
            if len(self._counters) > self._most:
                self._counters.popitem(last=False)
        return count + amount

    @override
    def get(self, key: str) -> int:
        count, ends_at = self._counters.get(key, (0, 0.0))
        return count if ends_at > self._clock.seconds() else 0

    @override
    def get_expiry(self, key: str) -> float:
        return self._counters.get(key, (0, 0.0))[1]

    @override
    def check(self) -> bool:
        return True

    @override
    def reset(self) -> int:
        with self._lock:
            forgotten = len(self._counters)
            self._counters.clear()
        return forgotten

    @override
    def clear(self, key: str) -> None:
        with self._lock:
            self._counters.pop(key, None)
