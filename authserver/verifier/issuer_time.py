"""Finds when an answer of the issuer was true, from the issuer's own stamps and this machine's clocks.

The two machines' clocks may differ by minutes, so a stamp is compared only with earlier stamps: between two stamps, as
much time must have passed at the issuer as here. A cache that replays an old page shows an old stamp, and renews
nothing.

An issuer whose clock was set back, or another node whose clock is behind, looks like a replay at first. But their
stamps advance: stamps that have kept pace with this machine for `PROOF` seconds are trusted.
Pure: stamps and readings in, a reading out.
"""

from dataclasses import dataclass
from typing import Final

from authserver.clock import Reading

RESOLUTION: Final = 1.0
"""Stamps are whole seconds, rounded down."""
TOLERANCE: Final = 1.0
"""Seconds by which a stamp may lag and still be on time: the issuer caches pages for a moment."""
DRIFT: Final = 0.001
"""How much slower than this machine's clock the issuer's may run: twice the rate at which time servers slew."""
PROOF: Final = 3.0
"""Seconds for which the stamps of a clock that is behind must keep pace."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """An answer with which others are compared: its stamp was made between two readings here."""

    stamp: float
    asked: Reading
    answered: Reading

    def date(self, stamp: float, asked: Reading) -> Reading:
        """The latest instant here at which an answer with `stamp` can have been true, if this mark was on time."""
        slewed = DRIFT * self.answered.until(asked)
        return self.answered.shift(stamp + RESOLUTION - self.stamp + slewed)

    def is_on_time(self, stamp: float, asked: Reading) -> bool:
        return self.date(stamp, asked).until(asked) <= TOLERANCE

    def is_outdone(self, stamp: float, asked: Reading) -> bool:
        """Whether `stamp` is at least as far ahead of this machine as the stamp of this mark was."""
        return stamp - self.stamp >= (1 - DRIFT) * self.asked.until(asked)


class IssuerTime:
    """Dates the answers of one issuer. Not thread-safe."""

    def __init__(self) -> None:
        """Begin without any answer."""
        self._mark: _Mark | None = None
        self._behind: _Mark | None = None

    def date(self, stamp: float, asked: Reading, answered: Reading) -> Reading:
        """The instant here for which an answer with `stamp` (seconds since the epoch, issuer's clock) was true.

        `asked` and `answered` are the readings here before and after the exchange. The result is never later than
        `asked`. The very first answer counts as on time.
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
