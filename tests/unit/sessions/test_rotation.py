"""Classification of a refresh token that was not exchanged (design §4): the rules and their order."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authserver.records.family import Family, GrantedAccess, LateRetryMark
from authserver.records.session import Ended
from authserver.records.user import Standing
from authserver.sessions.lifetimes import RetryWindows
from authserver.sessions.rotation import (
    Ahead,
    AudienceExceeded,
    Classification,
    Expired,
    Lapsed,
    LateRetry,
    NotForClient,
    Overtaken,
    Presented,
    Resting,
    Retry,
    Reused,
    Revoked,
    Rotatable,
    ScopeExceeded,
    Unknown,
    UserRefused,
    classify,
)
from authserver.sessions.scope import Allowance

ROTATED_AT = datetime(2026, 1, 1, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
MARGIN, MOMENT = timedelta(seconds=10), timedelta(microseconds=1)
WINDOWS = RetryWindows(retry_window=MINUTE, late_retry_window=24 * HOUR)
STRICT = RetryWindows(timedelta(0), timedelta(0))
GRANTED = GrantedAccess("ada", "sid", "fam", "spa", "phone", "read write", ("api",), ROTATED_AT, ("pwd",), "acr")
ALL = Allowance(frozenset({"read", "write"}), frozenset({"api"}))
FAMILY = Family(
    family_id=b"f" * 16,
    granted=GRANTED,
    generation=5,
    mac_kid="00000000",
    rotated_at=ROTATED_AT,
    idle_expires_at=ROTATED_AT + timedelta(days=7),
    expires_at=ROTATED_AT + timedelta(days=90),
    late_retry=None,
    rests_until=ROTATED_AT + MINUTE + MARGIN,
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
    mark = changes.get("late_retry")
    if mark is not None and mark.at > ROTATED_AT:  # a late retry in this generation wrote when the rest ends
        changes = {"rests_until": mark.at + MINUTE + MARGIN, **changes}
    family = dataclasses.replace(FAMILY, **changes)
    return classify(family, Presented(generation, client_id, ALL, scope), windows, ROTATED_AT + after)


@pytest.mark.parametrize(
    ("generation", "after", "late_retry", "expected"),
    [
        (5, -SECOND, None, Resting()),
        (5, timedelta(0), None, Resting()),
        (5, MINUTE + MARGIN - MOMENT, None, Resting()),
        (5, MINUTE + MARGIN, None, Rotatable()),
        (5, 2 * HOUR + MARGIN, LateRetryMark(4, ROTATED_AT + 2 * HOUR - MINUTE + MOMENT), Resting()),
        (5, 2 * HOUR + MARGIN, LateRetryMark(4, ROTATED_AT + 2 * HOUR - MINUTE), Rotatable()),
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
        (3, -MOMENT, None, Overtaken()),
        (1, -HOUR, None, Overtaken()),
        (3, timedelta(0), None, Reused(consecutive_late_retries=False)),
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
    assert classify(None, Presented(1, "spa", ALL), WINDOWS, ROTATED_AT) == Unknown()


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
    assert _classify(5, scope=frozenset({"read"})) == Resting()


@pytest.mark.parametrize("generation", [4, 5])
@pytest.mark.parametrize(
    ("refusal", "changes"),
    [
        (NotForClient(), {"client_id": "other"}),
        (ScopeExceeded(), {"scope": frozenset({"admin"})}),
        (UserRefused(soft_logout=True), {"standing": Standing.LOCKED}),
        (Revoked(soft_logout=True), {"ended": Ended(ROTATED_AT, "signed_out", soft_logout=True)}),
        (Revoked(soft_logout=False), {"client_enabled": False}),
        (Expired(), {"idle_expires_at": ROTATED_AT + SECOND}),
        (Expired(), {"expires_at": ROTATED_AT + SECOND}),
    ],
)
def test_neither_rest_nor_retry_answers_what_is_refused(
    generation: int, refusal: Classification, changes: dict[str, Any]
) -> None:
    """Design §4: client, scope and standing are judged before resting and retry."""
    assert _classify(generation, SECOND, **changes) == refusal


def test_a_wrong_client_is_judged_before_what_was_overtaken() -> None:
    assert _classify(3, -SECOND, client_id="other") == NotForClient()


@pytest.mark.parametrize("after", [-HOUR, -MOMENT, timedelta(0), MOMENT, SECOND])
def test_strict_windows_leave_no_rest_and_no_retry(after: timedelta) -> None:
    """Also where the loser of a race read the clock before the winner did: its age is negative, and inside nothing."""
    assert _classify(4, after, windows=STRICT, rests_until=None) == Lapsed()
    assert _classify(5, after, windows=STRICT, rests_until=None) == Rotatable()


@pytest.mark.parametrize("after", [-MOMENT, timedelta(0), HOUR])
def test_without_a_retry_window_a_predecessor_is_late_from_the_first_moment(after: timedelta) -> None:
    windows = RetryWindows(timedelta(0), 24 * HOUR)
    assert _classify(4, after, windows=windows, rests_until=None) == LateRetry()
    mark = LateRetryMark(4, ROTATED_AT + SECOND)
    assert _classify(4, after, windows=windows, rests_until=None, late_retry=mark) == Lapsed()


@pytest.mark.parametrize("windows", [STRICT, WINDOWS, RetryWindows(HOUR, 24 * HOUR)])
def test_the_window_of_the_rotation_counts_whatever_the_client_says_later(windows: RetryWindows) -> None:
    assert _classify(4, MINUTE - MOMENT, windows=windows) == Retry()
    assert _classify(4, MINUTE, windows=windows) != Retry()
    assert _classify(5, MINUTE + MARGIN - MOMENT, windows=windows) == Resting()
    assert _classify(5, MINUTE + MARGIN, windows=windows) == Rotatable()
    assert _classify(4, SECOND, windows=windows, rests_until=None) != Retry()


@pytest.mark.parametrize("rests_until", [datetime(1970, 1, 1, tzinfo=UTC), ROTATED_AT - HOUR, ROTATED_AT])
def test_after_a_rotation_by_the_release_before_only_the_clients_window_is_known(rests_until: datetime) -> None:
    """Nodes of both releases work side by side during an upgrade: a lost answer stays a retry, and nothing rests."""
    assert _classify(4, MINUTE - MOMENT, rests_until=rests_until) == Retry()
    assert _classify(4, MINUTE, rests_until=rests_until) == LateRetry()
    assert _classify(5, SECOND, rests_until=rests_until) == Rotatable()
    assert _classify(4, -SECOND, rests_until=rests_until, windows=STRICT) == Lapsed()
    late = LateRetryMark(4, ROTATED_AT + 2 * HOUR)
    for after, expected in ((2 * HOUR + MINUTE - MOMENT, Retry()), (2 * HOUR + MINUTE, Lapsed())):
        assert _classify(4, after, rests_until=rests_until, late_retry=late) == expected


LOST: dict[str, tuple[Allowance, frozenset[str] | None, tuple[str, ...] | None, Classification]] = {
    "nothing": (ALL, None, None, Rotatable()),
    "some scope": (Allowance(frozenset({"read"}), ALL.audience), None, None, Rotatable()),
    "some scope, which is asked for": (
        Allowance(frozenset({"read"}), ALL.audience),
        frozenset({"read", "write"}),
        None,
        ScopeExceeded(),
    ),
    "all scope": (Allowance(frozenset({"other"}), ALL.audience), None, None, ScopeExceeded()),
    "the audience": (Allowance(ALL.scope, frozenset({"other"})), None, None, AudienceExceeded()),
    "the audience, which is asked for": (Allowance(ALL.scope, frozenset()), None, ("api",), AudienceExceeded()),
}


@pytest.mark.parametrize(("allowance", "scope", "audience", "expected"), LOST.values(), ids=LOST.keys())
@pytest.mark.parametrize("generation", [5, 4, 3])
def test_what_the_client_lost_is_judged_before_rest_and_retry_and_after_reuse(
    generation: int,
    allowance: Allowance,
    scope: frozenset[str] | None,
    audience: tuple[str, ...] | None,
    expected: Classification,
) -> None:
    presented = Presented(generation, "spa", allowance, scope, audience)
    found = classify(FAMILY, presented, WINDOWS, ROTATED_AT + SECOND)
    if generation == 3:
        assert found == Reused(consecutive_late_retries=False)
    elif expected == Rotatable():
        assert isinstance(found, Rotatable | Resting | Retry)
    else:
        assert found == expected
