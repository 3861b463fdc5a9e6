"""The only reader of time.

Everything that decides takes `now` as an argument; whoever needs to ask holds a `Clock`. Tests pass a clock that is
moved by hand; the product has no setting that changes what time it is.
"""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time in the three forms that the rooms need."""

    def now(self) -> datetime:
        """The current instant, aware, UTC, with microseconds."""
        ...

    def seconds(self) -> float:
        """The current instant in seconds since the epoch: cheaper than `now`, for hot paths and JWT times."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back: for cool-downs and cache ages, never for lifetimes."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """See `Clock.seconds`."""
        return time.time()

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()
