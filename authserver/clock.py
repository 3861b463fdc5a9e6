"""The only reader of time.

Code that decides takes `now` as an argument; code that has to ask for the time holds a `Clock`. Tests pass a clock that
is moved by hand. No setting of the product changes the time.
"""

import math
import time
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol

LEEWAY: Final = 30.0
"""Seconds by which an instant that another machine wrote may lie ahead of this machine's clock."""


class Clock(Protocol):
    """A source of time, in the three forms that the rooms need."""

    def now(self) -> datetime:
        """The current instant, aware, UTC, with microseconds."""
        ...

    def seconds(self) -> float:
        """The current instant in seconds since the epoch: cheaper than `now`, for hot paths and JWT times."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back, but may stand still while the machine sleeps (see `Reading`)."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current instant, aware, UTC, with microseconds."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """The current instant in seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back, but may stand still while the machine sleeps."""
        return time.monotonic()


class Reading(NamedTuple):
    """One instant, read on both clocks, to find out later how old something is.

    Neither clock is enough: the monotonic clock stands still while a machine or a virtual machine is suspended, and the
    wall clock may be set back. The age is therefore the longer of the two measurements.
    """

    wall: float
    monotonic: float

    @classmethod
    def of(cls, clock: Clock) -> "Reading":
        """The present instant."""
        return cls(clock.seconds(), clock.monotonic())

    def age(self, clock: Clock) -> float:
        """Seconds from this instant to the present one: the larger of the two clocks' answers."""
        return max(clock.seconds() - self.wall, clock.monotonic() - self.monotonic)

    def until(self, later: "Reading") -> float:
        """Seconds from this instant to `later`: the larger of the two clocks' answers."""
        return max(later.wall - self.wall, later.monotonic - self.monotonic)

    def shift(self, seconds: float) -> "Reading":
        """The instant `seconds` later; earlier if they are negative."""
        return Reading(self.wall + seconds, self.monotonic + seconds)


NEVER: Final = Reading(-math.inf, -math.inf)
"""Before everything: infinitely old."""


def is_recent(at: float, now: float, within: float) -> bool:
    """Whether `at`, seconds since the epoch, lies at most `within` seconds before `now`, and not ahead of it.

    An instant that lies ahead was written by a wrong clock, so its real age is unknown.
    """
    return -LEEWAY <= now - at <= within
