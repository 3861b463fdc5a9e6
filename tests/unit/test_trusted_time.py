"""When the clock is trusted: readings in, a judgement out."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from authserver.clock import Reading
from authserver.trusted_time import LONGEST_PAUSE, PROBATION, TOLERANCE, Doubted, History, Trusted, Witnesses, judge
from tests.support.world.clock import START, ManualClock

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
YEAR = 365 * DAY


@dataclass
class Process:
    """A process that looks at its clock now and then; its database has a clock of its own if `database` is a clock."""

    clock: ManualClock
    database: ManualClock | None = None
    history: History | None = None
    marks: list[Trusted] = field(default_factory=list)

    def look(self) -> bool:
        newest = self.marks[-1].now if self.marks else None
        database = None if self.database is None else self.database.now()
        witnesses = Witnesses(self.clock.now(), Reading.of(self.clock), database, newest)
        self.history, judgement = judge(self.history, witnesses)
        if isinstance(judgement, Trusted):
            self.marks.append(judgement)
        return isinstance(judgement, Trusted)


@pytest.fixture
def process(clock: ManualClock) -> Process:
    process = Process(clock)
    assert process.look()
    return process


def test_an_even_clock_is_trusted(process: Process, clock: ManualClock) -> None:
    for _ in range(10):
        clock.advance(timedelta(seconds=10))
        assert process.look()


@pytest.mark.parametrize("by", [10 * YEAR, 400 * DAY, timedelta(minutes=2), -timedelta(minutes=5), -DAY])
def test_a_clock_that_jumped_is_doubted_until_it_is_set_right(
    process: Process, clock: ManualClock, by: timedelta
) -> None:
    for _ in range(8):
        clock.advance(timedelta(seconds=10))
        clock.set_wall(clock.now() + by)
        assert not process.look()
        clock.set_wall(clock.now() - by)
    assert process.look()


@pytest.mark.parametrize("by", [10 * YEAR, -DAY])
def test_a_jump_that_has_lasted_is_believed(process: Process, clock: ManualClock, by: timedelta) -> None:
    clock.set_wall(clock.now() + by)
    assert not process.look()
    clock.advance(PROBATION - SECOND)
    assert not process.look()
    clock.advance(SECOND)
    assert process.look()
    clock.advance(SECOND)
    assert process.look()


def test_two_jumps_do_not_add_up(process: Process, clock: ManualClock) -> None:
    """What has lasted is the last one."""
    clock.set_wall(clock.now() + DAY)
    assert not process.look()
    clock.advance(PROBATION - SECOND)
    clock.set_wall(clock.now() + YEAR)
    assert not process.look()
    clock.advance(2 * SECOND)
    assert not process.look()


def test_a_machine_that_slept_is_on_probation(process: Process, clock: ManualClock) -> None:
    """A sleep and a jump look alike."""
    clock.suspend(8 * timedelta(hours=1))
    assert not process.look()


def test_a_jump_with_which_another_process_agrees_is_believed(process: Process, clock: ManualClock) -> None:
    """Or an operator: both write it down."""
    clock.set_wall(clock.now() + YEAR)
    assert not process.look()
    process.marks.append(Trusted(clock.now() + TOLERANCE))
    assert process.look()


def test_a_clock_that_is_corrected_a_little_at_a_time_is_trusted(process: Process, clock: ManualClock) -> None:
    for _ in range(1000):
        clock.advance(timedelta(seconds=10))
        clock.set_wall(clock.now() + SECOND)
        assert process.look()


@pytest.mark.parametrize(
    ("ahead", "trusted"),
    [
        (timedelta(0), True),
        (LONGEST_PAUSE, True),
        (LONGEST_PAUSE + SECOND, False),
        (10 * YEAR, False),
        (-TOLERANCE, True),
        (-TOLERANCE - SECOND, False),
    ],
)
def test_a_process_that_starts_compares_its_clock_with_what_was_trusted_last(
    clock: ManualClock,
    ahead: timedelta,
    trusted: bool,  # noqa: FBT001 - a table
) -> None:
    started = Process(clock, marks=[Trusted(START - ahead)])
    assert started.look() is trusted
    clock.advance(PROBATION)
    assert started.look()


@pytest.mark.parametrize("by", [YEAR, -YEAR, TOLERANCE + SECOND])
def test_a_clock_that_contradicts_the_databases_is_doubted_for_as_long_as_it_does(
    clock: ManualClock, by: timedelta
) -> None:
    """Whichever of the two is wrong."""
    database = ManualClock(START + by)
    process = Process(clock, database)
    assert not process.look()
    for moved in (clock, database):
        moved.advance(10 * PROBATION)
    assert not process.look()
    database.set_wall(clock.now())
    assert process.look()


def test_a_doubt_says_what_the_clocks_say(clock: ManualClock) -> None:
    witnesses = Witnesses(clock.now(), Reading.of(clock), START + YEAR, None)
    _, judgement = judge(None, witnesses)
    assert judgement == Doubted("the clock says 2026-01-01 12:00:00Z, and the database's clock 2027-01-01 12:00:00Z")
