"""`POST /api/account/email`, `/api/email/confirm`, `/api/email/revert` (contract §3, design §5)."""

from datetime import timedelta
from email.message import EmailMessage

import pytest

from authserver.realm import Realm
from authserver.storage import audit
from tests.support.people.api import Api, content, field_errors, problem
from tests.support.people.credentials import (
    NEW_PASSWORD,
    Tokens,
    assert_ended,
    assert_goes_on,
    assert_lives,
    assert_no_password,
    assert_password,
    change,
    refreshed,
)
from tests.support.people.mail import deliver_all, has_link, read_link, read_link_page
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, ISSUER, PASSWORD, add_user

NEW = "ada@example.net"
SECRETS = (PASSWORD, NEW_PASSWORD, "$argon2")


@pytest.fixture
def tokens(api: Api, user_id: str) -> Tokens:
    """The device that asks."""
    return api.sign_in()


def _ask(api: Api, tokens: Tokens, new_email: str = NEW, password: str = PASSWORD) -> None:
    body = {"new_email": new_email, "current_password": password}
    assert content(api.post("/account/email", body, tokens["access_token"]), 202) == {}


def _mails(realm: Realm) -> dict[str, EmailMessage]:
    """What is mailed now, by address: one mail for each."""
    mails = deliver_all(realm)
    found = {str(mail["To"]): mail for mail in mails}
    assert len(found) == len(mails)
    return found


def _confirm(api: Api, token: str) -> dict[str, object]:
    return content(api.post("/email/confirm", {"token": token}), 200)


def _changed(api: Api, realm: Realm, tokens: Tokens) -> dict[str, EmailMessage]:
    """Change the address; the mails that tell of it."""
    _ask(api, tokens)
    _confirm(api, read_link(_mails(realm)[NEW]))
    return _mails(realm)


def _account(api: Api, tokens: Tokens) -> dict[str, object]:
    return content(api.get("/account", tokens["access_token"]), 200)


# --- asking ----------------------------------------------------------------------------------------------------------


def test_both_addresses_are_told_and_nothing_changes_yet(api: Api, realm: Realm, tokens: Tokens) -> None:
    """Authentication sheet; ASVS 6.3.5, 6.3.7: one mail to each, without a secret. Only the old one can stop it."""
    _ask(api, tokens)
    mails = _mails(realm)
    assert mails.keys() == {EMAIL, NEW}
    assert read_link_page(mails[NEW]) == f"{ISSUER}/email/confirm"
    assert read_link_page(mails[EMAIL]) == f"{ISSUER}/not-me"
    assert not [secret for secret in SECRETS for mail in mails.values() if secret in mail.as_string()]
    assert _account(api, tokens)["email"] == EMAIL
    assert_password(api, PASSWORD)


def test_it_takes_the_current_password(api: Api, realm: Realm, tokens: Tokens) -> None:
    """ASVS 7.5.1."""
    for wrong in ("wrong horse", ""):
        body = {"new_email": NEW, "current_password": wrong}
        problem(api.post("/account/email", body, tokens["access_token"]), 403, "wrong_password")
    response = api.post("/account/email", {"new_email": NEW}, tokens["access_token"])
    assert field_errors(response) == {"current_password": "missing"}
    assert deliver_all(realm) == []


def test_a_wrong_password_leaves_a_record(api: Api, realm: Realm, user_id: str, tokens: Tokens) -> None:
    """ASVS 16.3.1: who, what, from where; and no password."""
    body = {"new_email": NEW, "current_password": "wrong horse"}
    api.post("/account/email", body, tokens["access_token"])
    with realm.database.read() as tx:
        records = audit.list_of_user(tx, user_id)
    (record,) = [record for record in records if record.name == "authn_reauthentication_fail"]
    assert (record.outcome, record.actor.ip) == ("failure", "127.0.0.1")
    assert "wrong horse" not in str(record)


def test_it_takes_a_recent_sign_in(api: Api, realm: Realm, tokens: Tokens, clock: ManualClock) -> None:
    """ASVS 7.5.1, 7.5.3."""
    clock.advance(timedelta(seconds=901))
    body = {"new_email": NEW, "current_password": PASSWORD}
    old = refreshed(api, tokens)
    problem(api.post("/account/email", body, old["access_token"]), 401, "insufficient_user_authentication")
    assert deliver_all(realm) == []


def test_what_is_no_address_is_refused(api: Api, tokens: Tokens) -> None:
    body = {"new_email": "nobody", "current_password": PASSWORD}
    response = api.post("/account/email", body, tokens["access_token"])
    assert field_errors(response) == {"new_email": "invalid_email"}


def test_whether_an_address_is_taken_only_the_mail_to_it_tells(api: Api, realm: Realm, tokens: Tokens) -> None:
    """ASVS 6.3.8."""
    add_user(realm, NEW)
    _ask(api, tokens)
    mails = _mails(realm)
    assert not has_link(mails[NEW])
    assert has_link(mails[EMAIL])


def test_the_last_request_counts(api: Api, realm: Realm, tokens: Tokens) -> None:
    _ask(api, tokens, "typo@example.net")
    first = read_link(_mails(realm)["typo@example.net"])
    _ask(api, tokens)
    second = read_link(_mails(realm)[NEW])
    problem(api.post("/email/confirm", {"token": first}), 400, "invalid_link")
    _confirm(api, second)


def test_nobody_is_mailed_without_end_by_one_user(realm: Realm, user_id: str) -> None:
    """Knowing one's own password is no licence to write to everybody."""
    api = Api(realm, "10 per 10 minutes")
    tokens = api.sign_in()
    for number in range(10):
        _ask(api, tokens, f"victim{number}@example.net")
    body = {"new_email": NEW, "current_password": PASSWORD}
    problem(api.post("/account/email", body, tokens["access_token"]), 429, "too_many_requests")


def test_wrong_passwords_are_counted_before_they_are_verified(realm: Realm, user_id: str) -> None:
    """ASVS 6.3.1: what is wrong with the address clears no count."""
    api = Api(realm, "10 per 10 minutes")
    tokens = api.sign_in()
    for number in range(10):
        body = {"new_email": "nobody" if number % 2 else NEW, "current_password": "wrong horse"}
        assert api.post("/account/email", body, tokens["access_token"]).status_code in {403, 422}
    problem(change(api, tokens), 429, "too_many_requests")


# --- confirming ------------------------------------------------------------------------------------------------------


def test_the_link_in_the_new_mailbox_changes_the_address(api: Api, realm: Realm, tokens: Tokens) -> None:
    """Session management sheet. The other devices end; the one that asked refreshes once and goes on."""
    other = api.sign_in()
    _ask(api, tokens)
    revocation = _confirm(api, read_link(_mails(realm)[NEW]))["revocation"]
    assert isinstance(revocation, dict)
    assert (revocation["event"], revocation["sessions_ended"], revocation["sessions_kept"]) == ("email_changed", 1, 1)
    assert_ended(api, other)
    account = _account(api, assert_goes_on(api, tokens))
    assert (account["email"], account["email_verified"]) == (NEW, True)
    assert_no_password(api, PASSWORD)
    assert_password(api, PASSWORD, NEW)


def test_a_session_that_has_ended_meanwhile_is_not_kept(api: Api, realm: Realm, tokens: Tokens) -> None:
    other = api.sign_in()
    _ask(api, tokens)
    api.post("/logout", token=tokens["access_token"])
    _confirm(api, read_link(_mails(realm)[NEW]))
    assert_ended(api, other)


def test_both_addresses_are_told_of_it(api: Api, realm: Realm, tokens: Tokens) -> None:
    """ASVS 6.3.5, 6.3.7: exactly one mail to each; the old one can take it back."""
    mails = _changed(api, realm, tokens)
    assert mails.keys() == {EMAIL, NEW}
    assert read_link_page(mails[EMAIL]) == f"{ISSUER}/email/revert"
    assert not has_link(mails[NEW])
    assert not [secret for secret in SECRETS for mail in mails.values() if secret in mail.as_string()]


def test_a_link_works_once_and_for_an_hour(api: Api, realm: Realm, tokens: Tokens, clock: ManualClock) -> None:
    """ASVS 6.4.1."""
    _ask(api, tokens)
    late = read_link(_mails(realm)[NEW])
    clock.advance(timedelta(hours=1))
    problem(api.post("/email/confirm", {"token": late}), 400, "invalid_link")
    fresh = api.sign_in()
    _ask(api, fresh)
    token = read_link(_mails(realm)[NEW])
    _confirm(api, token)
    problem(api.post("/email/confirm", {"token": token}), 400, "invalid_link")


def test_a_change_of_password_ends_a_change_of_address_that_waits(api: Api, realm: Realm, tokens: Tokens) -> None:
    _ask(api, tokens)
    token = read_link(_mails(realm)[NEW])
    content(change(api, tokens), 200)
    problem(api.post("/email/confirm", {"token": token}), 400, "invalid_link")


def test_an_address_that_was_taken_meanwhile_is_refused(api: Api, realm: Realm, tokens: Tokens) -> None:
    _ask(api, tokens)
    token = read_link(_mails(realm)[NEW])
    add_user(realm, NEW)
    problem(api.post("/email/confirm", {"token": token}), 409, "email_taken")
    assert_lives(api, tokens)


# --- taking it back --------------------------------------------------------------------------------------------------


@pytest.fixture
def revert(api: Api, realm: Realm, tokens: Tokens) -> str:
    """The link in the old mailbox, after the address was changed."""
    return read_link(_changed(api, realm, tokens)[EMAIL])


def test_the_old_address_takes_it_back(api: Api, realm: Realm, tokens: Tokens, revert: str) -> None:
    """Everything ends, the address is back, no password works, and the reset goes to this address alone."""
    thief = api.sign_in(NEW)
    revocation = content(api.post("/email/revert", {"token": revert}), 200)["revocation"]
    assert (revocation["event"], revocation["sessions_kept"]) == ("email_change_reverted", 0)
    for gone in (thief, tokens):
        assert_ended(api, gone)
    for address in (NEW, EMAIL):
        assert_no_password(api, PASSWORD, address)
    mails = _mails(realm)
    assert mails.keys() == {EMAIL}
    assert read_link_page(mails[EMAIL]) == f"{ISSUER}/reset"
    body = {"token": read_link(mails[EMAIL]), "new_password": NEW_PASSWORD}
    content(api.post("/password/reset", body), 200)
    assert_password(api, NEW_PASSWORD)


def test_it_can_do_so_for_seven_days_and_once(api: Api, revert: str, clock: ManualClock) -> None:
    clock.advance(timedelta(days=7) - timedelta(microseconds=1))
    content(api.post("/email/revert", {"token": revert}), 200)
    problem(api.post("/email/revert", {"token": revert}), 400, "invalid_link")


def test_after_seven_days_it_cannot(api: Api, revert: str, clock: ManualClock) -> None:
    clock.advance(timedelta(days=7))
    problem(api.post("/email/revert", {"token": revert}), 400, "invalid_link")
    assert_password(api, PASSWORD, NEW)


def test_the_link_survives_what_a_thief_does_next(api: Api, revert: str, clock: ManualClock) -> None:
    clock.advance(timedelta(seconds=1))
    content(change(api, api.sign_in(NEW)), 200)
    content(api.post("/email/revert", {"token": revert}), 200)
    assert_no_password(api, NEW_PASSWORD)


def test_nobody_registers_an_address_that_may_be_taken_back(api: Api, revert: str, clock: ManualClock) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    problem(api.post("/register", body), 409, "email_taken")
    clock.advance(timedelta(days=7))
    content(api.post("/register", body), 201)
