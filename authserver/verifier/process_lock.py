"""A lock for the threads of one process, whichever process that is."""

import os
import threading


class ProcessLock:
    """Hands out one lock per process.

    A fork copies a lock as it is: held, if a thread of the parent held it, and nobody in the child to release it. A
    server that forks and patches threads afterwards (gevent) also needs a lock that was made after the patch.
    """

    def __init__(self) -> None:
        """Make nothing yet."""
        self._locks: dict[int, threading.Lock] = {}

    @property
    def own(self) -> threading.Lock:
        """The lock of this process; the same one at every call."""
        return self._locks.setdefault(os.getpid(), threading.Lock())
