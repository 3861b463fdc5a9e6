"""Classification of a refresh token that was not exchanged (design §4): the rules and their order."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authserver.sessions.family import Ended, Family, Grant, LateRetryMark, Standing
from authserver.sessions.lifetimes import RetryWindows
from authserver.sessions.rotation import (
    Ahead,
    Classification,
    Expired,
    Lapsed,
    LateRetry,
    NotForClient,
    Presented,
    Retry,
    Reused,
    Revoked,
    Rotatable,
    ScopeExceeded,
    Unknown,
    UserRefused,
    classify,
)

ROTATED_AT = datetime(2026, 1, 1, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
WINDOWS = RetryWindows(retry_window=MINUTE, late_retry_window=24 * HOUR)
STRICT = RetryWindows(timedelta(0), timedelta(0))
GRANT = Grant("ada", "sid", "fam", "spa", "phone", "read write", ("api",), ROTATED_AT, ("pwd",), "acr")
FAMILY = Family(
    family_id=b"f" * 16,
    grant=GRANT,
    generation=5,
    mac_kid="00000000",
    rotated_at=ROTATED_AT,
    idle_expires_at=ROTATED_AT + timedelta(days=7),
    expires_at=ROTATED_AT + timedelta(days=90),
    late_retry=None,
    ended=None,
    client_enabled=True,
    standing=Standing.ACTIVE,
    token_version=1,
    roles=(),
)


def _classify(
    generation: int,
    after: timedelta = SECOND,
    *,
    windows: RetryWindows = WINDOWS,
    client_id: str = "spa",
    scope: frozenset[str] | None = None,
    **changes: Any,  # noqa: ANN401 - the fields of a Family
) -> Classification:
    family = dataclasses.replace(FAMILY, **changes)
    return classify(family, Presented(generation, client_id, scope), windows, ROTATED_AT + after)


@pytest.mark.parametrize(
    ("generation", "after", "late_retry", "expected"),
    [
        (5, SECOND, None, Rotatable()),
        (4, -SECOND, None, Retry()),
        (4, timedelta(0), None, Retry()),
        (4, MINUTE - SECOND, None, Retry()),
        (4, MINUTE, None, LateRetry()),
        (4, 24 * HOUR - SECOND, None, LateRetry()),
        (4, 24 * HOUR, None, Lapsed()),
        (4, 2 * HOUR, LateRetryMark(4, ROTATED_AT + 2 * HOUR - 59 * SECOND), Retry()),
        (4, 2 * HOUR, LateRetryMark(4, ROTATED_AT + 2 * HOUR - MINUTE), Lapsed()),
        (4, 24 * HOUR + 30 * SECOND, LateRetryMark(4, ROTATED_AT + 24 * HOUR - 20 * SECOND), Retry()),
        (4, 2 * HOUR, LateRetryMark(3, ROTATED_AT - HOUR), Reused(consecutive_late_retries=True)),
        (4, SECOND, LateRetryMark(3, ROTATED_AT - HOUR), Retry()),
        (4, 2 * HOUR, LateRetryMark(2, ROTATED_AT - HOUR), LateRetry()),
        (3, SECOND, None, Reused(consecutive_late_retries=False)),
        (1, 48 * HOUR, None, Reused(consecutive_late_retries=False)),
        (6, SECOND, None, Ahead()),
    ],
)
def test_the_generation_and_the_windows_decide(
    generation: int, after: timedelta, late_retry: LateRetryMark | None, expected: Classification
) -> None:
    assert _classify(generation, after, late_retry=late_retry) == expected


def test_no_family_is_unknown() -> None:
    assert classify(None, Presented(1, "spa", None), WINDOWS, ROTATED_AT) == Unknown()


@pytest.mark.parametrize("generation", [3, 4, 5, 6])
def test_another_client_never_learns_nor_revokes(generation: int) -> None:
    assert _classify(generation, client_id="other") == NotForClient()


@pytest.mark.parametrize("soft_logout", [True, False])
def test_what_has_ended_stays_ended_with_its_flag(soft_logout: bool) -> None:  # noqa: FBT001 - parametrised
    """No grace path resurrects a revoked family."""
    ended = Ended(ROTATED_AT, "signed_out", soft_logout)
    assert {_classify(generation, ended=ended) for generation in (3, 4, 5)} == {Revoked(soft_logout)}


def test_a_disabled_client_has_nothing_left() -> None:
    assert _classify(5, client_enabled=False) == Revoked(soft_logout=False)


@pytest.mark.parametrize("limit", ["idle_expires_at", "expires_at"])
def test_expiry_comes_before_every_window(limit: str) -> None:
    changes: dict[str, Any] = {limit: ROTATED_AT + SECOND}
    assert _classify(4, SECOND, **changes) == Expired()


def test_a_locked_user_is_refused_softly_but_reuse_is_reuse() -> None:
    assert _classify(5, standing=Standing.LOCKED) == UserRefused(soft_logout=True)
    assert _classify(4, 2 * HOUR, standing=Standing.LOCKED) == UserRefused(soft_logout=True)
    assert _classify(3, standing=Standing.LOCKED) == Reused(consecutive_late_retries=False)
    assert _classify(5, standing=Standing.DISABLED) == UserRefused(soft_logout=False)


def test_more_scope_than_granted_burns_nothing() -> None:
    assert _classify(5, scope=frozenset({"read", "admin"})) == ScopeExceeded()
    assert _classify(4, scope=frozenset({"admin"})) == ScopeExceeded()
    assert _classify(4, scope=frozenset({"read"})) == Retry()


def test_strict_windows_leave_no_retry() -> None:
    assert _classify(4, timedelta(0), windows=STRICT) == Lapsed()
