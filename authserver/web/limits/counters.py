"""What a counter is, and counters for rate limits in this process's memory, bounded.

The library's own keep every key until it expires, look through all of them a hundred times a second, and start a
thread for it: somebody who tries a million accounts would fill the memory and slow everybody down.
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
    """How many tries were counted, and when they are forgotten, in seconds since the epoch."""

    count: int
    ends_at: float

    def is_live(self, now: float) -> bool:
        """Whether the window is not over."""
        return self.ends_at > now

    def add(self, amount: int, now: float, expiry: int) -> "Counter":
        """Count `amount` more, in the same window or in a new one of `expiry` seconds.

        A window that ends later than a new one would was begun by a clock that went wrong, and is cut.
        """
        count, ends_at = (self.count, min(self.ends_at, now + expiry)) if self.is_live(now) else (0, now + expiry)
        return Counter(max(0, count + amount), ends_at)


FRESH: Final = Counter(0, 0.0)
"""Nothing was counted."""


class BoundedCounters(Storage):
    """At most `MOST_COUNTERS` counters; the one that was begun first gives way. Safe to share between threads."""

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
