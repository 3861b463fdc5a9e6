"""Lookups, ended sessions and set passwords by operators, on both databases."""

from datetime import timedelta

import pytest

from authserver.administration.look_up import end_session_of_user, find_client, find_user, list_clients, list_users
from authserver.administration.set_password import set_password
from authserver.authentication.open_session import DeviceClaim, RequestSource
from authserver.authentication.sign_in import SignIn, sign_in
from authserver.authentication.sign_out import list_sessions
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from authserver.credentials.passwords import PasswordHasher
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import INVALID_CREDENTIALS, Invalid, Refused
from authserver.records.audit import Actor
from authserver.records.client import Client
from authserver.records.user import User
from authserver.revocation import Receipt
from authserver.storage import users
from authserver.tokens.token_answer import TokenAnswer
from tests.support.people.refreshing import open_device, refreshed, refused
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, PASSWORD, add_user

OPERATOR = Actor("cli")
OTHER = "nine lives and a garden gate"
UNSTORABLE = ["a\0b", "a\ud800b"]


def _load(realm: Realm, user_id: str) -> User:
    with realm.database.read() as tx:
        user = users.find(tx, user_id)
    assert user is not None
    return user


def _sign_in(realm: Realm, password: str) -> object:
    device = DeviceClaim(None, None)
    return sign_in(
        realm, SignIn(EMAIL, Secret(password), FIRST_PARTY_CLIENT_ID, None, device, RequestSource("192.0.2.1", "test"))
    )


def test_all_users_are_listed_by_address(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is read page by page; an exactly full page is not taken for the last one."""
    monkeypatch.setattr("authserver.administration.look_up._PAGE", 2)
    emails = [f"{name}@example.test" for name in ("dora", "ada", "cleo", "bob")]
    for email in emails:
        add_user(realm, email)
    assert [user.email for user in list_users(realm)] == sorted(emails)


@pytest.mark.parametrize("spelling", [EMAIL, " Ada@Example.TEST "])
def test_a_user_is_found_by_any_spelling_of_the_address_and_by_id(realm: Realm, spelling: str) -> None:
    user_id = add_user(realm)
    for found in (find_user(realm, spelling), find_user(realm, user_id)):
        assert isinstance(found, User)
        assert found.user_id == user_id


@pytest.mark.parametrize("text", ["", "nobody@example.test", "nobody", *UNSTORABLE])
def test_an_unknown_user_client_or_session_is_not_found(realm: Realm, text: str) -> None:
    """Texts that a database cannot store are never sent to it."""
    outcomes = (
        find_user(realm, text),
        find_client(realm, text),
        end_session_of_user(realm, text, by=OPERATOR),
        set_password(realm, text, Secret(OTHER), by=OPERATOR),
    )
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Refused)] == ["not_found"] * 4


def test_clients_are_listed_and_found(realm: Realm) -> None:
    found = find_client(realm, FIRST_PARTY_CLIENT_ID)
    assert isinstance(found, Client)
    assert list_clients(realm) == [found]


def test_an_operator_ends_one_session_only(realm: Realm) -> None:
    user_id = add_user(realm)
    ended, kept = open_device(realm), open_device(realm)
    receipt = end_session_of_user(realm, ended.sid, by=OPERATOR)
    assert isinstance(receipt, Receipt)
    assert (receipt.event, receipt.sessions_ended, receipt.sessions_kept) == ("session_ended_by_admin", 1, 1)
    assert not refused(realm, ended.refresh_token).soft_logout
    refreshed(realm, kept.refresh_token)
    assert [summary.session.sid for summary in list_sessions(realm, user_id)] == [kept.sid]


def test_ending_a_session_twice_ends_nothing_more(realm: Realm) -> None:
    add_user(realm)
    session = open_device(realm)
    end_session_of_user(realm, session.sid, by=OPERATOR)
    receipt = end_session_of_user(realm, session.sid, by=OPERATOR)
    assert isinstance(receipt, Receipt)
    assert receipt.sessions_ended == 0


def test_a_set_password_ends_all_sessions_and_replaces_the_old_one(realm: Realm, clock: ManualClock) -> None:
    """Design §5: reach all, hard, bump. Everybody who is signed in may have used the old password."""
    user_id = add_user(realm)
    before, sessions = _load(realm, user_id), [open_device(realm) for _ in range(2)]
    clock.advance(timedelta(hours=1))
    receipt = set_password(realm, user_id, Secret(OTHER), by=OPERATOR)
    assert isinstance(receipt, Receipt)
    assert (receipt.event, receipt.sessions_ended, receipt.sessions_kept) == ("password_set_by_admin", 2, 0)
    after = _load(realm, user_id)
    assert receipt.token_version == after.token_version == before.token_version + 1
    assert after.credential_version == before.credential_version + 1
    assert after.password_changed_at == clock.now()
    assert not any(refused(realm, session.refresh_token).soft_logout for session in sessions)
    old = _sign_in(realm, PASSWORD)
    assert isinstance(old, Refused)
    assert old.code == INVALID_CREDENTIALS
    assert isinstance(_sign_in(realm, OTHER), TokenAnswer)


@pytest.mark.parametrize(
    ("password", "code"),
    [("", "empty"), ("short", "too_short"), ("password123", "common"), ("a\0bcdefghijklm", "invalid_character")],
)
def test_a_set_password_that_breaks_the_policy_changes_nothing(realm: Realm, password: str, code: str) -> None:
    """The password policy also applies to operators."""
    user_id = add_user(realm)
    session = open_device(realm)
    outcome = set_password(realm, user_id, Secret(password), by=OPERATOR)
    assert isinstance(outcome, Invalid)
    assert [error.code for error in outcome.errors] == [code]
    refreshed(realm, session.refresh_token)


def test_a_sign_in_that_verified_the_old_password_leaves_no_session(
    realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a password is set between verification of the old one and the new session, no session opens (design §5)."""
    user_id = add_user(realm)
    verify = PasswordHasher.verify

    def verify_and_be_overtaken(
        self: PasswordHasher, password: Secret, stored: str | None, *, decoy: str | None = None
    ) -> object:
        verification = verify(self, password, stored, decoy=decoy)
        assert verification.matches
        monkeypatch.setattr(PasswordHasher, "verify", verify)  # setting one compares it with the present one
        assert isinstance(set_password(realm, user_id, Secret(OTHER), by=OPERATOR), Receipt)
        return verification

    monkeypatch.setattr(PasswordHasher, "verify", verify_and_be_overtaken)
    overtaken = _sign_in(realm, PASSWORD)
    assert isinstance(overtaken, Refused)
    assert overtaken.code == INVALID_CREDENTIALS
    assert list_sessions(realm, user_id) == []
