"""Decides whether the clock can be trusted for destroying something, or for moving it on for good.

A clock that is far ahead for a minute makes everything look expired: sessions, links, audit events, keys. What is
pruned or rotated then is still gone when the clock is right again. So requests are answered meanwhile, but destroying,
which is never urgent, waits until the clock has proved itself.

Pure: readings in, a judgement out. This is the only place that decides it. All code that destroys or rotates by time
asks for a `Trusted`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from authserver.clock import Reading

TOLERANCE: Final = timedelta(minutes=1)
"""How far two clocks may differ, or one clock may be corrected, without raising a doubt."""
PROBATION: Final = timedelta(hours=1)
"""How long a clock that jumped must run evenly before it is trusted again."""
LONGEST_PAUSE: Final = timedelta(hours=1)
"""How long an installation may stand still; after a longer pause, the clock of a starting process is on probation."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """An instant by which things may be destroyed or moved on, vouched for by `judge` or by an operator."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Doubted:
    """The clock may be wrong. `reason` is one line for an operator."""

    reason: str


@dataclass(frozen=True, slots=True)
class Witnesses:
    """What is known about the time at one moment.

    Attributes:
        now: the time of this machine's wall clock.
        reading: this machine's two clocks, read together with it.
        database: the time of the database's own clock; None where the database uses this machine's clock.
        vouched: the newest instant that any process of the installation read from a clock that it trusted; None if
            there is none.
    """

    now: datetime
    reading: Reading
    database: datetime | None
    vouched: datetime | None


@dataclass(frozen=True, slots=True)
class History:
    """What a process remembers about its clocks: when it last trusted them, and since when they have run evenly."""

    trusted: Reading | None
    even_since: Reading


def judge(
    history: History | None, witnesses: Witnesses, *, longest_pause: timedelta = LONGEST_PAUSE
) -> tuple[History, Trusted | Doubted]:
    """Decide whether the clock is trusted now; also return what to remember. `history` is None at the first call."""
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
        # The doubt lasts as long as the two differ: one is wrong, and waiting does not show which.
        return f"the clock says {_write(now)}, and the database's clock {_write(witnesses.database)}"
    if reading.monotonic - history.even_since.monotonic >= PROBATION.total_seconds():
        return None
    if history.trusted is not None and not _jumped(history.trusted, reading):
        return None
    if witnesses.vouched is None:
        return None if history.trusted is None else f"the clock has jumped to {_write(now)}"
    ahead = now - witnesses.vouched
    # After a jump, the clock is believed if another process agrees. At a start, it is believed if the installation was
    # not stopped for long.
    if -TOLERANCE <= ahead <= (longest_pause if history.trusted is None else TOLERANCE):
        return None
    return f"the clock says {_write(now)}, and the newest trusted record is of {_write(witnesses.vouched)}"


def _jumped(earlier: Reading, later: Reading) -> bool:
    """Whether the wall clock was set between the two, or the machine has slept."""
    difference = (later.wall - earlier.wall) - (later.monotonic - earlier.monotonic)
    return abs(difference) > TOLERANCE.total_seconds()


def _write(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}Z"
