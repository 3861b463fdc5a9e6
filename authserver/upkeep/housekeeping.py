"""The background work of a running server: reload keys, report the node, prune, rotate keys if the settings say so.

Each process has one daemon thread for it, and one for mail. A step that fails is logged and tried again at its next
turn. It never stops the other steps and never reaches a request. Every step is safe to run on many nodes at once.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from authserver.clock import NEVER, Clock, Reading

_log = structlog.get_logger(__name__)
_TICK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Chore:
    """One thing to do every `interval` seconds."""

    name: str
    interval: float
    do: Callable[[], object]


class Housekeeping:
    """Runs chores until it is stopped."""

    def __init__(self, chores: tuple[Chore, ...], clock: Clock, name: str = "housekeeping") -> None:
        """Store the chores; start nothing. `name` is the name of the thread."""
        self._chores = chores
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread. Call it in the process that serves, because a thread does not survive a fork."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, and wait for the chore that is running."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        done = dict.fromkeys((chore.name for chore in self._chores), NEVER)
        while not self._stopping.wait(_TICK_SECONDS):
            for chore in self._chores:
                if done[chore.name].age(self._clock) >= chore.interval:
                    done[chore.name] = Reading.of(self._clock)
                    self._do(chore)

    def _do(self, chore: Chore) -> None:
        try:
            chore.do()
        except Exception as error:  # noqa: BLE001 - the failure of one chore must not stop the others
            _log.error("chore_failed", chore=chore.name, exc_info=error)
