"""A clock that moves only when a test says so."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


class ManualClock:
    """An `authserver.clock.Clock` that stands still between calls of `advance`."""

    def __init__(self, now: datetime = START) -> None:
        """Start at `now`, an aware UTC instant."""
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._now

    def seconds(self) -> float:
        """See `Clock.seconds`."""
        return self._now.timestamp()

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return self._monotonic

    def advance(self, by: timedelta) -> None:
        """Let time pass on the wall clock and on the monotonic clock."""
        assert by >= timedelta(0), "time passes forward; a wall clock that is set back is `set_wall`"
        self._now += by
        self._monotonic += by.total_seconds()

    def suspend(self, by: timedelta) -> None:
        """Let the machine sleep: time passes on the wall clock, and the monotonic clock stands still."""
        assert by >= timedelta(0), "time passes forward"
        self._now += by

    def set_wall(self, now: datetime) -> None:
        """Set the wall clock, forward or back, as an administrator or a time server does; no time passes."""
        self._now = now
