"""What a running server does beside answering: reload keys, report itself, prune, rotate when it is told to.

One daemon thread per process, and one for mail. A step that fails is logged and tried again at its next turn; it never
stops the others and never reaches a request. Every step is safe to run on many nodes at once.
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
        """Take the chores; start nothing. `name` is the thread's."""
        self._chores = chores
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, in the process that serves: a thread does not survive a fork."""
        self._thread.start()

    def stop(self) -> None:
        """End after the chore under way."""
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
        except Exception as error:  # noqa: BLE001 - one chore's failure is not the others'
            _log.error("chore_failed", chore=chore.name, exc_info=error)
