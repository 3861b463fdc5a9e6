"""Whose lifetimes hold for a client."""

from dataclasses import dataclass, fields, replace
from datetime import timedelta

import pytest

from authserver.sessions.lifetimes import Lifetimes, RetryWindows

HOUR = timedelta(hours=1)
INSTALLATION = Lifetimes(HOUR, 24 * HOUR, 240 * HOUR, RetryWindows(HOUR / 60, 2 * HOUR), 100)


@dataclass(frozen=True, slots=True)
class Own:
    """A client's own, as its record has them."""

    access_token_lifetime: timedelta | None = None
    refresh_idle_lifetime: timedelta | None = None
    refresh_absolute_lifetime: timedelta | None = None
    retry_window: timedelta | None = None
    late_retry_window: timedelta | None = None


def test_a_client_without_its_own_has_those_of_the_installation() -> None:
    assert INSTALLATION.of_client(Own()) == INSTALLATION


@pytest.mark.parametrize("name", [field.name for field in fields(Own) if field.name.endswith("lifetime")])
def test_a_client_may_have_shorter_lifetimes_and_never_longer_ones(name: str) -> None:
    """A longer access token would outlive the feed window, also when the setting was lowered later."""
    ceiling = getattr(INSTALLATION, name)
    assert INSTALLATION.of_client(replace(Own(), **{name: ceiling / 2})) == replace(INSTALLATION, **{name: ceiling / 2})
    assert INSTALLATION.of_client(replace(Own(), **{name: ceiling * 2})) == INSTALLATION


def test_a_client_may_have_no_windows_at_all() -> None:
    """Design §4: 0 and 0 is strict, and is not the same as saying nothing."""
    strict = INSTALLATION.of_client(Own(retry_window=timedelta(0), late_retry_window=timedelta(0)))
    assert strict.retry_windows == RetryWindows(timedelta(0), timedelta(0))
    wide = INSTALLATION.of_client(Own(late_retry_window=3 * HOUR))
    assert wide.retry_windows == RetryWindows(HOUR / 60, 3 * HOUR)
