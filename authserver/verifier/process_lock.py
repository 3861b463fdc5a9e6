"""A lock for the threads of one process that is safe across forks."""

import os
import threading


class ProcessLock:
    """Hands out one lock per process.

    A fork copies a lock in its present state. If a thread of the parent held it, no thread in the child can release it.
    A server that forks and patches threads afterwards (gevent) also needs a lock that was made after the patch.
    """

    def __init__(self) -> None:
        """Begin without any lock."""
        self._locks: dict[int, threading.Lock] = {}

    @property
    def own(self) -> threading.Lock:
        """The lock of this process, which is the same one at every call."""
        return self._locks.setdefault(os.getpid(), threading.Lock())
