"""The bulkhead between password hashing and everything else.

Hashes run in a few threads of low priority, and few callers may wait for them, for seconds. So a flood of sign-ins
costs other requests milliseconds, and memory stays below one hash per thread. Some extra places are reserved for
callers whom a flood must not keep out. Knows nothing about passwords.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self, TypeVar, final

Result = TypeVar("Result")

DEFAULT_NICENESS: Final = 10
PATIENCE: Final = 10.0
"""Seconds after which a caller whose hash has not begun is turned away."""

_ALONE: Final = 4
"""With fewer request threads than this, no place is reserved: one more waiter would be too many."""


@dataclass(frozen=True, slots=True)
class Busy:
    """The caller was not admitted, or not in time. Try again in a few seconds (503, Retry-After)."""


@dataclass(frozen=True, slots=True)
class Places:
    """How many callers may be inside at once, including those whose hash is being computed.

    Attributes:
        admitted: places for all callers, first come, first served.
        kept: extra places for known callers, used when the others are taken.
    """

    admitted: int
    kept: int

    @classmethod
    def among(cls, request_threads: int) -> Self:
        """Give two thirds of the request threads to all, a twelfth to known callers; the rest never wait for a hash."""
        kept = max(1, request_threads // 12) if request_threads >= _ALONE else 0
        return cls(max(1, request_threads * 2 // 3), kept)


@final
class HashingPool:
    """Runs `threads` pieces of work at a time, and one more for known callers.

    Each waiter holds a request thread, so their number and waiting time are limited. The threads start with the first
    work, separately in each process, so a pool made before a fork works in parent and children.

    Args:
        places: how many callers may be inside.
        threads: the number of hashes computed at once for all callers; at most `places.admitted`.
        patience: seconds to wait for a hash to begin. A hash that has begun is always awaited.
        niceness: the niceness of the hashing threads, where the system has one per thread (Linux).
    """

    __slots__ = ("_crews", "_niceness", "_patience", "_places", "_threads")

    def __init__(
        self,
        places: Places,
        *,
        threads: int = 1,
        patience: float = PATIENCE,
        niceness: int = DEFAULT_NICENESS,
    ) -> None:
        """Keep the numbers; no thread starts yet."""
        if not 1 <= threads <= places.admitted or places.kept < 0:
            raise ValueError(f"a hashing pool needs 1 <= threads <= admitted, not {threads} and {places}")
        self._places = places
        self._threads = threads
        self._patience = patience
        self._niceness = niceness
        self._crews: dict[int, _Crew] = {}

    def run(self, work: Callable[[], Result], *, is_known: Callable[[], bool] = lambda: False) -> Result | Busy:
        """Run `work` and return its result; `Busy` at once if the pool is full, or after `patience` if it is slow.

        Exceptions of `work` are raised here. `is_known` is called only for a caller who would be turned away.
        """
        crew = self._find_crew()
        outcome = crew.everybody.run(work, self._patience)
        if isinstance(outcome, Busy) and self._places.kept and is_known():
            return crew.known.run(work, self._patience)
        return outcome

    def _find_crew(self) -> "_Crew":
        """The threads of this process, by process id: this object survives a fork, but its threads do not."""
        pid = os.getpid()
        # setdefault is atomic. A lock could be copied by a fork while it is held.
        return self._crews.get(pid) or self._crews.setdefault(pid, self._muster())

    def _muster(self) -> "_Crew":
        return _Crew(
            _Queue(self._threads, self._places.admitted, self._niceness),
            _Queue(1, self._places.kept, self._niceness),
        )


@dataclass(frozen=True, slots=True)
class _Crew:
    """The queues of one process."""

    everybody: "_Queue"
    known: "_Queue"


@final
class _Queue:
    """Working threads, and the waiting places in front of them."""

    def __init__(self, threads: int, places: int, niceness: int) -> None:
        self.places = threading.BoundedSemaphore(places)
        self._threads = ThreadPoolExecutor(
            threads, thread_name_prefix="hashing", initializer=_lower_priority, initargs=(niceness,)
        )

    def run(self, work: Callable[[], Result], patience: float) -> Result | Busy:
        if not self.places.acquire(blocking=False):
            return Busy()
        try:
            hashing = self._threads.submit(work)
            if not wait((hashing,), patience).done and hashing.cancel():
                return Busy()
            return hashing.result()
        finally:
            self.places.release()


def _lower_priority(niceness: int) -> None:
    """Lower the priority of the calling thread only."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # a container may forbid it; hashing at normal priority is better than none
            os.setpriority(os.PRIO_PROCESS, thread, max(niceness, os.getpriority(os.PRIO_PROCESS, thread)))
