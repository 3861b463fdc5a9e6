"""How long things live."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RetryWindows:
    """How late the predecessor of an unused successor may be shown again (design §4).

    `retry_window` admits any number of repeats (a lost response, a second tab). `late_retry_window` admits one more,
    never in two consecutive generations (a phone that slept between response and disk). Zero and zero is strict.
    """

    retry_window: timedelta
    late_retry_window: timedelta


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The installation's lifetimes; `retry_windows` may be overridden per client."""

    access_token_lifetime: timedelta
    refresh_idle_lifetime: timedelta
    refresh_absolute_lifetime: timedelta
    retry_windows: RetryWindows
    max_sessions_per_user: int


def idle_end(now: datetime, idle_lifetime: timedelta, absolute_end: datetime) -> datetime:
    """When a family that was used at `now` falls idle: never after its absolute end (RFC 9700 §4.14.2)."""
    return min(now + idle_lifetime, absolute_end)
