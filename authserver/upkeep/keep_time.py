"""Use case: a trusted time for everything that deletes data or rotates keys by the clock.

Each process judges its own clock (`authserver.trusted_time`) and stores the times that it trusts, so that a starting
process has something to compare its clock with. The time of a doubted clock is never stored.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from authserver.clock import Clock, Reading
from authserver.storage import Database, Transaction, clock_mark
from authserver.trusted_time import LONGEST_PAUSE, Doubted, History, Trusted, Witnesses, judge

VOUCHED_EVERY: Final = timedelta(seconds=5)
_log = structlog.get_logger(__name__)


class Timekeeper:
    """Judges the clock of this process. Keep one for the whole process; threads share it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        read_database_clock: Callable[[Transaction], datetime | None] = clock_mark.read_database_clock,
    ) -> None:
        """Store the arguments; nothing is read yet."""
        self._database = database
        self._clock = clock
        self._read_database_clock = read_database_clock
        self._history: History | None = None
        self._doubt: str | None = None
        self._judging = threading.Lock()

    def look(self, *, longest_pause: timedelta = LONGEST_PAUSE) -> Trusted | Doubted:
        """Judge the clock now."""
        with self._judging:
            witnesses = self._hear()
            self._history, judgement = judge(self._history, witnesses, longest_pause=longest_pause)
        if isinstance(judgement, Trusted) and _is_news(witnesses):
            self._vouch(judgement)
        return judgement

    def confirm(self) -> Trusted:
        """Trust the clock, because an operator says that it is right.

        Servers that doubt their clock continue, too, if it agrees with this one.
        """
        confirmed = Trusted(self._clock.now())
        self._vouch(confirmed)
        return confirmed

    def run(self, act: Callable[[Trusted], object]) -> None:
        """Do `act` now, unless the clock is doubted. The start and the end of a doubt are logged."""
        judgement = self.look()
        self._log_judgement(judgement)
        if isinstance(judgement, Trusted):
            act(judgement)

    def _hear(self) -> Witnesses:
        now, reading = self._clock.now(), Reading.of(self._clock)
        with self._database.read() as tx:
            return Witnesses(now, reading, self._read_database_clock(tx), clock_mark.find_vouched(tx))

    def _vouch(self, trusted: Trusted) -> None:
        with self._database.write() as tx:
            clock_mark.vouch(tx, trusted.now)

    def _log_judgement(self, judgement: Trusted | Doubted) -> None:
        doubt = judgement.reason if isinstance(judgement, Doubted) else None
        if doubt is not None and self._doubt is None:
            # A warning, not an error: it lasts an hour after each night in which no server ran.
            _log.warning("clock_doubted", reason=doubt, consequence="nothing is pruned, no key is rotated")
        if doubt is None and self._doubt is not None:
            _log.warning("clock_trusted_again")
        self._doubt = doubt


def _is_news(witnesses: Witnesses) -> bool:
    return witnesses.vouched is None or abs(witnesses.now - witnesses.vouched) >= VOUCHED_EVERY
