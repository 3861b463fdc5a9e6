"""Why an access token is refused at the server itself: the rules, and their order."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authserver.records.presence import Presence, judge_bearer
from authserver.records.session import Ended
from authserver.records.user import Standing

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOFTLY, FOR_GOOD = Ended(NOW, "signed_out_everywhere", soft_logout=True), Ended(NOW, "signed_out", soft_logout=False)
GOOD = Presence(
    standing=Standing.ACTIVE,
    token_version=3,
    session_expires_at=NOW + HOUR,
    family_ends_at=NOW + HOUR,
    session_ended=None,
    family_ended=None,
    client_enabled=True,
    token_revoked=False,
)
FAULTS: list[tuple[dict[str, Any], str, bool]] = [
    ({"session_ended": FOR_GOOD}, "session_revoked", False),
    ({"session_ended": SOFTLY}, "session_revoked", True),
    ({"family_ended": FOR_GOOD}, "session_revoked", False),
    ({"session_expires_at": NOW}, "session_revoked", True),
    ({"family_ends_at": NOW}, "session_revoked", True),
    ({"client_enabled": False}, "client_disabled", False),
    ({"token_revoked": True}, "token_revoked", True),
    ({"standing": Standing.DISABLED}, "session_revoked", False),
    ({"standing": Standing.LOCKED}, "user_locked", True),
    ({"token_version": 4}, "stale_token_version", True),
]
"""What differs from a good presence, the code, and what the client may keep; the earlier outweighs the later."""


def judge(presence: Presence | None, *, is_expired: bool = False, signing_out: bool = False) -> tuple[str, bool] | None:
    refused = judge_bearer(presence, 3, NOW, is_expired=is_expired, signing_out=signing_out)
    return None if refused is None else (refused.code, refused.soft_logout)


def test_a_token_of_a_live_session_is_good() -> None:
    assert judge(GOOD) is None


@pytest.mark.parametrize(("changes", "code", "soft_logout"), FAULTS)
def test_each_fault_has_its_code(changes: dict[str, Any], code: str, soft_logout: bool) -> None:  # noqa: FBT001 - a column of the table
    assert judge(dataclasses.replace(GOOD, **changes)) == (code, soft_logout)


@pytest.mark.parametrize("position", range(len(FAULTS) - 1))
def test_the_earlier_fault_is_named(position: int) -> None:
    (first, code, soft_logout), (second, *_) = FAULTS[position], FAULTS[position + 1]
    assert judge(dataclasses.replace(GOOD, **(second | first))) == (code, soft_logout)


def test_what_does_not_exist_is_over_for_good() -> None:
    assert judge(None) == ("session_revoked", False)


@pytest.mark.parametrize(
    ("presence", "soft_logout"),
    [
        (GOOD, True),
        (dataclasses.replace(GOOD, session_ended=SOFTLY), True),
        (dataclasses.replace(GOOD, session_ended=FOR_GOOD), False),
        (dataclasses.replace(GOOD, standing=Standing.LOCKED), True),
        (None, False),
    ],
)
def test_an_expired_token_is_told_whether_its_session_may_be_taken_up_again(
    presence: Presence | None,
    soft_logout: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert judge(presence, is_expired=True) == ("expired", soft_logout)


@pytest.mark.parametrize(("changes", "code", "soft_logout"), FAULTS)
def test_only_what_ended_for_good_cannot_be_signed_out(changes: dict[str, Any], code: str, soft_logout: bool) -> None:  # noqa: FBT001 - a column of the table
    """Contract §3: a session that is locked, stale, idle or softly ended may still be ended by its own token."""
    over = {"session_ended": FOR_GOOD}, {"family_ended": FOR_GOOD}
    expected = (code, soft_logout) if changes in over else None
    assert judge(dataclasses.replace(GOOD, **changes), signing_out=True) == expected
