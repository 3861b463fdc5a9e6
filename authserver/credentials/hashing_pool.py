"""The bulkhead between password hashing and everything else.

Hashes run in few threads of low priority, and few callers may wait for them: a flood of sign-ins then costs other
requests milliseconds, and memory stays below that of one hash for each thread. Knows nothing about passwords; sets no
time-out, since a hash takes as long as it takes.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar, final

Result = TypeVar("Result")

DEFAULT_THREADS: Final = 1
DEFAULT_ADMITTED: Final = 3
DEFAULT_NICENESS: Final = 10


@dataclass(frozen=True, slots=True)
class Busy:
    """Nobody was admitted: as many callers as the pool takes are inside. Try again in a moment (503, Retry-After)."""


@final
class HashingPool:
    """Runs at most `threads` pieces of work at a time and admits at most `admitted` callers, those running included.

    Waiters hold a request thread each, which is why their number is bounded. Threads start with the first work and anew
    in each process: a pool made before a fork serves parent and children alike.

    Args:
        threads: how many hashes are computed at once.
        admitted: how many callers may be inside; at least `threads`.
        niceness: of the hashing threads, where the system has one for each thread (Linux).
    """

    __slots__ = ("_admitted", "_crews", "_niceness", "_threads")

    def __init__(
        self,
        *,
        threads: int = DEFAULT_THREADS,
        admitted: int = DEFAULT_ADMITTED,
        niceness: int = DEFAULT_NICENESS,
    ) -> None:
        """Take the numbers; start nothing."""
        if not 1 <= threads <= admitted:
            raise ValueError(f"a hashing pool needs 1 <= threads <= admitted, not {threads} and {admitted}")
        self._threads = threads
        self._admitted = admitted
        self._niceness = niceness
        self._crews: dict[int, _Crew] = {}

    def run(self, work: Callable[[], Result]) -> Result | Busy:
        """What `work` returned, or `Busy` at once when the pool is full. What `work` raises is raised here."""
        crew = self._find_crew()
        if not crew.places.acquire(blocking=False):
            return Busy()
        try:
            return crew.threads.submit(work).result()
        finally:
            crew.places.release()

    def _find_crew(self) -> "_Crew":
        """This process's threads; by process id, because threads do not survive a fork but this object does."""
        pid = os.getpid()
        # setdefault is atomic, so no lock is needed that a fork could copy while it is held
        return self._crews.get(pid) or self._crews.setdefault(pid, self._muster())

    def _muster(self) -> "_Crew":
        threads = ThreadPoolExecutor(
            self._threads, thread_name_prefix="hashing", initializer=_lower_priority, initargs=(self._niceness,)
        )
        return _Crew(threads, threading.BoundedSemaphore(self._admitted))


@dataclass(frozen=True, slots=True)
class _Crew:
    """The threads of one process and the places in front of them."""

    threads: ThreadPoolExecutor
    places: threading.BoundedSemaphore


def _lower_priority(niceness: int) -> None:
    """Make the calling thread, and only it, give way to the others."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # a container may forbid it; hashing at normal priority is better than none
            os.setpriority(os.PRIO_PROCESS, thread, max(niceness, os.getpriority(os.PRIO_PROCESS, thread)))
