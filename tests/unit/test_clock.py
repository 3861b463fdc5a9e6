"""Ages by both clocks, and what is recent."""

from datetime import timedelta

import pytest

from authserver.clock import LEEWAY, NEVER, Reading, is_recent
from tests.support.world.clock import ManualClock

HOUR = timedelta(hours=1)


def test_an_age_is_the_larger_of_both_clocks(clock: ManualClock) -> None:
    reading = Reading.of(clock)
    clock.advance(HOUR)
    assert reading.age(clock) == 3600
    clock.suspend(HOUR)
    assert reading.age(clock) == reading.until(Reading.of(clock)) == 7200
    clock.set_wall(clock.now() - 10 * HOUR)
    assert reading.age(clock) == 3600
    assert reading.shift(-60).age(clock) == 3660


def test_never_is_older_than_everything(clock: ManualClock) -> None:
    assert NEVER.age(clock) == NEVER.until(Reading.of(clock)) == float("inf")


@pytest.mark.parametrize(
    ("age", "recent"),
    [(0, True), (900, True), (900.1, False), (-LEEWAY, True), (-LEEWAY - 1, False), (-10 * 365 * 86_400, False)],
)
def test_what_lies_ahead_is_not_recent(age: float, recent: bool) -> None:  # noqa: FBT001 - a table
    assert is_recent(1_000_000_000 - age, 1_000_000_000, 900) is recent
