"""Credential events: stable names, frozen facts, one registry."""

from dataclasses import FrozenInstanceError, dataclass
from typing import ClassVar

import pytest

from authserver.credentials.events import (
    EVENTS,
    CredentialEvent,
    PasswordRehashed,
    RefreshTokenReused,
    SignedOut,
)
from authserver.credentials.events.base import Subject, register
from authserver.credentials.policy_row import PolicyRow, Reach


def test_the_names_of_events_are_stable() -> None:
    """They stand in audit records and receipts for years: a changed name is a broken promise."""
    assert [event.name for event in EVENTS] == [
        "password_changed",
        "password_reset",
        "password_set_by_admin",
        "password_rehashed",
        "compromise_reported",
        "email_changed",
        "email_change_reverted",
        "roles_changed",
        "mfa_changed",
        "user_locked",
        "user_unlocked",
        "user_disabled",
        "user_enabled",
        "user_deleted",
        "signed_out",
        "signed_out_everywhere",
        "signed_out_elsewhere",
        "signed_out_by_admin",
        "session_ended_by_user",
        "session_ended_by_admin",
        "refresh_token_reused",
        "client_disabled",
        "signing_key_compromised",
    ]


def test_a_name_used_twice_is_refused_at_import() -> None:
    @dataclass(frozen=True, slots=True)
    class Impostor(CredentialEvent):
        name: ClassVar[str] = "signed_out"
        POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.NONE)

    with pytest.raises(ValueError, match="2 credential events are called 'signed_out'"):
        register(*EVENTS, Impostor)


def test_an_event_is_a_fact_and_cannot_be_edited() -> None:
    event = RefreshTokenReused(user_id="u", sid="s", fam="f")
    with pytest.raises(FrozenInstanceError):
        event.sid = "other"  # type: ignore[misc]


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_carries_nothing_beyond_its_fields(event: type[CredentialEvent]) -> None:
    """Slots all the way up: no attribute can be hung on an event by accident."""
    assert event.__doc__
    assert not any("__dict__" in vars(parent) for parent in event.__mro__)


def test_an_event_knows_whom_it_is_about() -> None:
    assert SignedOut("u", "s").subject() == Subject("u", "s")
    assert PasswordRehashed("u", "new", "old").subject() == Subject("u")
