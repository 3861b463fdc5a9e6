"""When an answer of the issuer was true, told by the issuer's own stamps and this machine's clocks.

The two machines' clocks may differ by minutes, so a stamp is compared with earlier stamps only: since an answer was
stamped, as much time must have passed at the issuer as here. A cache that replays an old page shows an old stamp, and
renews nothing.

An issuer whose clock is set back, and another node whose clock is behind, look like a replay at first. What tells them
apart is that their stamps go on: stamps that have kept pace with this machine for `PROOF` seconds are believed.
Pure: stamps and readings in, a reading out.
"""

from dataclasses import dataclass
from typing import Final

from authserver.clock import Reading

RESOLUTION: Final = 1.0
"""Stamps are whole seconds, rounded down."""
TOLERANCE: Final = 1.0
"""Seconds by which a stamp may lag before it is not on time: pages are kept for a moment at the issuer."""
DRIFT: Final = 0.001
"""How much slower than this machine's clock the issuer's may run: twice what time servers correct by slewing."""
PROOF: Final = 3.0
"""Seconds for which stamps of a clock that is behind must have kept pace."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """An answer by which others are judged: its stamp was made between two readings here."""

    stamp: float
    asked: Reading
    answered: Reading

    def date(self, stamp: float, asked: Reading) -> Reading:
        """The latest instant here at which an answer with `stamp` can have been true, if the mark's was on time."""
        slewed = DRIFT * self.answered.until(asked)
        return self.answered.shift(stamp + RESOLUTION - self.stamp + slewed)

    def is_on_time(self, stamp: float, asked: Reading) -> bool:
        return self.date(stamp, asked).until(asked) <= TOLERANCE

    def is_outdone(self, stamp: float, asked: Reading) -> bool:
        """Whether `stamp` is at least as much ahead of this machine as the mark's stamp was."""
        return stamp - self.stamp >= (1 - DRIFT) * self.asked.until(asked)


class IssuerTime:
    """Dates the answers of one issuer. Not for several threads at once."""

    def __init__(self) -> None:
        """Know no answer yet."""
        self._mark: _Mark | None = None
        self._behind: _Mark | None = None

    def date(self, stamp: float, asked: Reading, answered: Reading) -> Reading:
        """From when on the answer counts that was stamped `stamp`, seconds since the epoch on the issuer's clock.

        `asked` and `answered` are the readings here before and after. Nothing counts from later than `asked`. The first
        answer of all is taken to be on time.
        """
        new = _Mark(stamp, asked, answered)
        if self._mark is None or self._has_kept_pace(new):
            self._mark, self._behind = new, None
        dated = _earlier(asked, self._mark.date(stamp, asked))
        if self._mark.is_on_time(stamp, asked):
            self._behind = None
            if self._mark.is_outdone(stamp, asked):
                self._mark = new
        elif self._behind is None or not self._behind.is_on_time(stamp, asked):
            self._behind = new
        return dated

    @property
    def is_settled(self) -> bool:
        """Whether the newest answer was on time."""
        return self._behind is None

    def _has_kept_pace(self, new: _Mark) -> bool:
        behind = self._behind
        return (
            behind is not None and behind.answered.until(new.asked) >= PROOF and behind.is_on_time(new.stamp, new.asked)
        )


def _earlier(one: Reading, other: Reading) -> Reading:
    return Reading(min(one.wall, other.wall), min(one.monotonic, other.monotonic))
