"""Use case: what the time is, for what destroys or rotates by it; see `authserver.trusted_time`.

Each process judges its own clock, and writes down what it trusts, so that a process that starts has something to
compare its clock with. What a doubted clock says is never written there.
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
        """Read nothing yet."""
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
        """An operator says that the clock is right; servers that doubt theirs, and agree with it, go on, too."""
        confirmed = Trusted(self._clock.now())
        self._vouch(confirmed)
        return confirmed

    def run(self, act: Callable[[Trusted], object]) -> None:
        """Do `act` now; nothing while the clock is doubted, which is logged when it begins and when it ends."""
        judgement = self.look()
        self._tell(judgement)
        if isinstance(judgement, Trusted):
            act(judgement)

    def _hear(self) -> Witnesses:
        now, reading = self._clock.now(), Reading.of(self._clock)
        with self._database.read() as tx:
            return Witnesses(now, reading, self._read_database_clock(tx), clock_mark.find_vouched(tx))

    def _vouch(self, trusted: Trusted) -> None:
        with self._database.write() as tx:
            clock_mark.vouch(tx, trusted.now)

    def _tell(self, judgement: Trusted | Doubted) -> None:
        doubt = judgement.reason if isinstance(judgement, Doubted) else None
        if doubt is not None and self._doubt is None:
            # No error: after each night without a server it is so for an hour.
            _log.warning("clock_doubted", reason=doubt, consequence="nothing is pruned, no key is rotated")
        if doubt is None and self._doubt is not None:
            _log.warning("clock_trusted_again")
        self._doubt = doubt


def _is_news(witnesses: Witnesses) -> bool:
    return witnesses.vouched is None or abs(witnesses.now - witnesses.vouched) >= VOUCHED_EVERY
