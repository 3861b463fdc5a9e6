"""The bulkhead between password hashing and everything else.

Hashes run in few threads of low priority, and few callers may wait for them, for seconds: a flood of sign-ins then
costs other requests milliseconds, and memory stays below that of one hash for each thread. Some places beside the queue
are kept for callers whom a flood must not keep out. Knows nothing about passwords.
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
"""Seconds after which a caller whose hash has not begun is sent away."""

_ALONE: Final = 4
"""With fewer request threads than this nobody has a place of their own: one more waiter would be one too many."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Nobody was admitted, or not in time. Try again in a few seconds (503, Retry-After)."""


@dataclass(frozen=True, slots=True)
class Places:
    """How many callers may be inside at once, those whose hash is computed included.

    Attributes:
        admitted: of all callers, first come, first served.
        kept: of known callers besides, for when those are taken.
    """

    admitted: int
    kept: int

    @classmethod
    def among(cls, request_threads: int) -> Self:
        """Two thirds of the request threads for everybody, a twelfth for the known; the rest never waits for a hash."""
        kept = max(1, request_threads // 12) if request_threads >= _ALONE else 0
        return cls(max(1, request_threads * 2 // 3), kept)


@final
class HashingPool:
    """Runs `threads` pieces of work at a time, and one more for those who are known.

    Waiters hold a request thread each, which is why their number and their time are bounded. Threads start with the
    first work and anew in each process: a pool made before a fork serves parent and children alike.

    Args:
        places: how many callers may be inside.
        threads: how many hashes are computed at once for all callers; at most `places.admitted`.
        patience: seconds to wait for the hash to begin. One that has begun is waited for.
        niceness: of the hashing threads, where the system has one for each thread (Linux).
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
        """Take the numbers; start nothing."""
        if not 1 <= threads <= places.admitted or places.kept < 0:
            raise ValueError(f"a hashing pool needs 1 <= threads <= admitted, not {threads} and {places}")
        self._places = places
        self._threads = threads
        self._patience = patience
        self._niceness = niceness
        self._crews: dict[int, _Crew] = {}

    def run(self, work: Callable[[], Result], *, is_known: Callable[[], bool] = lambda: False) -> Result | Busy:
        """What `work` returned; `Busy` at once when the pool is full, or after `patience` when it is slow.

        What `work` raises is raised here. `is_known` is asked only of a caller who would be sent away.
        """
        crew = self._find_crew()
        outcome = crew.everybody.run(work, self._patience)
        if isinstance(outcome, Busy) and self._places.kept and is_known():
            return crew.known.run(work, self._patience)
        return outcome

    def _find_crew(self) -> "_Crew":
        """This process's threads; by process id, because threads do not survive a fork but this object does."""
        pid = os.getpid()
        # setdefault is atomic, so no lock is needed that a fork could copy while it is held
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
    """Threads that work, and the places in front of them."""

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
    """Make the calling thread, and only it, give way to the others."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # a container may forbid it; hashing at normal priority is better than none
            os.setpriority(os.PRIO_PROCESS, thread, max(niceness, os.getpriority(os.PRIO_PROCESS, thread)))
