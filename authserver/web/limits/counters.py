"""A counter for rate limits, and a bounded number of them in the memory of one process.

The library's own storage keeps every key until it expires, and starts a thread that scans all keys a hundred times a
second. An attacker who tries a million accounts would fill its memory and slow the whole process down.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from limits.storage import Storage
from typing_extensions import override

from authserver.clock import Clock

MOST_COUNTERS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Counter:
    """The number of counted tries, and when they are forgotten, in seconds since the epoch."""

    count: int
    ends_at: float

    def is_live(self, now: float) -> bool:
        """Whether the window is still open."""
        return self.ends_at > now

    def add(self, amount: int, now: float, expiry: int) -> "Counter":
        """Count `amount` more, in this window or, if it is over, in a new one of `expiry` seconds.

        A window that ends later than a new one would was begun while the clock was wrong. It is shortened.
        """
        count, ends_at = (self.count, min(self.ends_at, now + expiry)) if self.is_live(now) else (0, now + expiry)
        return Counter(max(0, count + amount), ends_at)


FRESH: Final = Counter(0, 0.0)
"""A counter of which nothing was counted."""


class BoundedCounters(Storage):
    """At most `MOST_COUNTERS` counters in memory; the oldest one is dropped for a new one. Threads may share it."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Clock, most: int = MOST_COUNTERS) -> None:
        """Count by `clock`."""
        super().__init__()
        self._clock = clock
        self._most = most
        self._counters: OrderedDict[str, Counter] = OrderedDict()
        self._lock = threading.Lock()

    @property
    @override
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()

    @override
    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._clock.seconds()
        with self._lock:
            former = self._counters.get(key, FRESH)
            if not former.is_live(now):
                self._counters.pop(key, None)  # a new window is the newest of all
            counter = self._counters[key] = former.add(amount, now, expiry)
            if len(self._counters) > self._most:
                self._counters.popitem(last=False)
        return counter.count

    @override
    def get(self, key: str) -> int:
        counter = self._counters.get(key, FRESH)
        return counter.count if counter.is_live(self._clock.seconds()) else 0

    @override
    def get_expiry(self, key: str) -> float:
        return self._counters.get(key, FRESH).ends_at

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
