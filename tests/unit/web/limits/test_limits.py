"""Counting tries: in memory that stays small, and when the shared storage is away."""

import sys
from datetime import timedelta

import pytest
from limits.storage import Storage
from structlog.testing import CapturingLogger
from typing_extensions import override

import authserver.web.limits.limits
from authserver.web.limits.counters import BoundedCounters
from authserver.web.limits.limits import Limits, account_key, open_counters
from authserver.web.limits.node_counters import UnusableCountersError
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy

KEY = account_key("ada@example.test")


class AwayError(Exception):
    """What a driver raises."""


class Away(Storage):
    """A storage that cannot be reached."""

    STORAGE_SCHEME = None

    @property
    @override
    def base_exceptions(self) -> type[Exception]:
        return AwayError

    @override
    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise AwayError

    @override
    def get(self, key: str) -> int:
        raise AwayError

    @override
    def get_expiry(self, key: str) -> float:
        raise AwayError

    @override
    def check(self) -> bool:
        return False

    @override
    def reset(self) -> int | None:
        raise AwayError

    @override
    def clear(self, key: str) -> None:
        raise AwayError


def test_while_the_storage_is_away_the_process_counts_by_itself(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a 500, never everybody out, never everybody in; and the log says so."""
    log = CapturingLogger()
    monkeypatch.setattr(authserver.web.limits.limits, "_log", log)
    limits = Limits("2 per minute", "9 per minute", Away(wrap_exceptions=True), clock)
    assert [limits.hit(KEY) for _ in range(3)] == [None, None, 60]
    limits.forgive(KEY)
    assert limits.hit(KEY) is None
    assert len(log.calls) == 5
    assert {(*call.args, call.kwargs["cause"]) for call in log.calls} == {("limits_storage_unavailable", "AwayError")}


def test_all_limits_hold(clock: ManualClock) -> None:
    limits = Limits("2 per minute; 3 per hour", "9 per minute", BoundedCounters(clock), clock)
    assert [limits.hit(KEY) for _ in range(3)] == [None, None, 60]
    clock.advance(timedelta(seconds=61))
    assert [limits.hit(KEY) for _ in range(2)] == [None, 3600 - 61]


def test_the_wait_is_never_nothing_and_never_more_than_the_window(clock: ManualClock) -> None:
    """Also when somebody sets the wall clock back."""
    limits = Limits("1 per minute", "9 per minute", BoundedCounters(clock), clock)
    limits.hit(KEY)
    clock.advance(timedelta(seconds=59.9))
    assert limits.hit(KEY) == 1
    clock.set_wall(clock.now() - timedelta(days=1))
    assert limits.hit(KEY) == 60


def test_counters_stay_bounded(clock: ManualClock) -> None:
    """Whoever tries a million accounts fills no memory; the newest counts are kept."""
    counters = BoundedCounters(clock, most=3)
    for name in "abcd":
        counters.incr(name, 60)
    assert [counters.get(name) for name in "abcd"] == [0, 1, 1, 1]


def test_a_try_that_is_taken_back_makes_room_however_many_were_refused_meanwhile(clock: ManualClock) -> None:
    limits = Limits("2 per minute; 3 per hour", "9 per minute", BoundedCounters(clock), clock)
    assert [limits.hit(KEY) for _ in range(5)] == [None, None, 60, 60, 60]
    limits.take_back(KEY)
    assert [limits.hit(KEY) for _ in range(2)] == [None, 60]
    clock.advance(timedelta(minutes=1))
    assert [limits.hit(KEY) for _ in range(3)] == [None, 3600 - 60, 3600 - 60]
    limits.take_back(KEY)
    assert limits.hit(KEY) is None


_URLS = [
    "redis://:hunter2secret@127.0.0.1:1/0",
    "rediss://127.0.0.1:1/0",
    "valkey://127.0.0.1:1/0",
    "unix:///no/socket",
]


@pytest.mark.parametrize("url", _URLS)
def test_a_missing_client_is_one_line_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, clock: ManualClock, url: str
) -> None:
    for name in ("redis", "valkey"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UnusableCountersError) as refusal:
        open_counters(url, None, clock, SeededEntropy())
    assert str(refusal.value) == (
        "AUTHSERVER_LIMITS_URL needs a client that is not installed: pip install 'WHEEL[redis]'"
    )


@pytest.mark.parametrize("url", _URLS)
def test_the_extra_brings_the_clients_and_one_that_is_away_costs_a_line_of_the_log(
    clock: ManualClock, url: str
) -> None:
    limits = Limits("2 per minute", "9 per minute", open_counters(url, None, clock, SeededEntropy()), clock)
    assert limits.hit(KEY) is None


def test_an_address_that_no_client_can_read_is_one_line_without_it(clock: ManualClock) -> None:
    with pytest.raises(UnusableCountersError, match="is not the URL") as refusal:
        open_counters("redis://:hunter2secret@host:port/0", None, clock, SeededEntropy())
    assert "hunter2secret" not in str(refusal.value)
