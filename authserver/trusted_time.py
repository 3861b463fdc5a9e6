"""Whether the time can be trusted enough to destroy something by it, or to move something on for good.

A clock that is far ahead for a minute makes everything look over: sessions, links, audit events, keys. What is pruned
or rotated then is gone when the clock is right again. Answering requests goes on; destroying is never urgent, so it
waits until the clock has proved itself.

Pure: readings in, a judgement out. This is the only place that decides it; `Trusted` is what everything that destroys
or rotates by time asks for.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from authserver.clock import Reading

TOLERANCE: Final = timedelta(minutes=1)
"""By how much two clocks may differ, or one may be corrected, without being noticed here."""
PROBATION: Final = timedelta(hours=1)
"""For how long a clock that jumped must have run evenly before it is trusted."""
LONGEST_PAUSE: Final = timedelta(hours=1)
"""For how long an installation may have stood still before the clock of who starts it is on probation."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """An instant by which things may be destroyed or moved on: as `judge` says, or an operator."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Doubted:
    """The clock may be wrong. `reason` is one line for an operator."""

    reason: str


@dataclass(frozen=True, slots=True)
class Witnesses:
    """What is known of the time at one moment.

    Attributes:
        now: what this machine's wall clock says.
        reading: this machine's two clocks, read together with it.
        database: what the database's own clock says; None where that is this machine's.
        vouched: the newest instant that any process of the installation read from a clock which it trusted; None: none.
    """

    now: datetime
    reading: Reading
    database: datetime | None
    vouched: datetime | None


@dataclass(frozen=True, slots=True)
class History:
    """What a process remembers of its clocks: when they were trusted last, and since when they have run evenly."""

    trusted: Reading | None
    even_since: Reading


def judge(
    history: History | None, witnesses: Witnesses, *, longest_pause: timedelta = LONGEST_PAUSE
) -> tuple[History, Trusted | Doubted]:
    """Whether the clock is trusted now, and what to remember for the next time; `history` is None at the first."""
    reading = witnesses.reading
    trusted = None if history is None else history.trusted
    even_since = reading if history is None or _jumped(history.even_since, reading) else history.even_since
    doubt = _find_doubt(History(trusted, even_since), witnesses, longest_pause)
    if doubt is not None:
        return History(trusted, even_since), Doubted(doubt)
    return History(reading, even_since), Trusted(witnesses.now)


def _find_doubt(history: History, witnesses: Witnesses, longest_pause: timedelta) -> str | None:
    now, reading = witnesses.now, witnesses.reading
    if witnesses.database is not None and abs(now - witnesses.database) > TOLERANCE:
        # For as long as it lasts: one of the two is wrong, and time does not tell which.
        return f"the clock says {_write(now)}, and the database's clock {_write(witnesses.database)}"
    if reading.monotonic - history.even_since.monotonic >= PROBATION.total_seconds():
        return None
    if history.trusted is not None and not _jumped(history.trusted, reading):
        return None
    if witnesses.vouched is None:
        return None if history.trusted is None else f"the clock has jumped to {_write(now)}"
    ahead = now - witnesses.vouched
    # One that jumped is believed if another process agrees; one that starts, if the installation did not stand still.
    if -TOLERANCE <= ahead <= (longest_pause if history.trusted is None else TOLERANCE):
        return None
    return f"the clock says {_write(now)}, and the newest trusted record is of {_write(witnesses.vouched)}"


def _jumped(earlier: Reading, later: Reading) -> bool:
    """Whether the wall clock was set between the two, or the machine has slept."""
    difference = (later.wall - earlier.wall) - (later.monotonic - earlier.monotonic)
    return abs(difference) > TOLERANCE.total_seconds()


def _write(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}Z"
