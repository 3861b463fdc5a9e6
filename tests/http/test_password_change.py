"""`POST /api/account/password` (contract §3, design §5)."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from authserver.realm import Realm
from authserver.revocation import Revocation
from authserver.revocation.policy import RevocationPolicy
from authserver.web.limits.limits import ADDRESS_FACTOR
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
    refresh,
    refreshed,
)
from tests.support.people.mail import deliver_all
from tests.support.world.clock import START, ManualClock
from tests.support.world.realm import EMAIL, PASSWORD, add_user

NOW = int(START.timestamp())


@pytest.fixture
def tokens(api: Api, user_id: str) -> Tokens:
    """The device that asks."""
    return api.sign_in(device_id="laptop", device_name="Ada's laptop")


def _with_row(realm: Realm, **members: object) -> Api:
    """The API under a policy whose row for this event is another one."""
    policy = RevocationPolicy({"password_changed": members})
    revocation = Revocation(policy, realm.lifetimes.access_token_lifetime, realm.entropy)
    return Api(dataclasses.replace(realm, revocation=revocation))


# --- the session that asks -------------------------------------------------------------------------------------------


def test_the_session_that_asks_is_renewed(api: Api, tokens: Tokens) -> None:
    """Session management sheet: another id at every change of credentials; the device stays the one it was."""
    answer = content(change(api, tokens), 200)
    assert answer.keys() == tokens.keys() | {"revocation"}
    assert answer["sid"] != tokens["sid"]
    assert answer["device_id"] == "laptop"
    assert answer["scope"] == tokens["scope"]
    assert_lives(api, answer)
    (listed,) = content(api.get("/account/sessions", answer["access_token"]), 200)["sessions"]
    assert (listed["sid"], listed["device_name"], listed["current"]) == (answer["sid"], "Ada's laptop", True)


def test_the_old_tokens_of_the_session_that_asks_are_dead(api: Api, tokens: Tokens) -> None:
    """ASVS 7.2.4: a thief's copy of them is worth nothing, also one that was refreshed before."""
    later = refreshed(api, tokens)
    answer = content(change(api, later), 200)
    for old in (tokens, later):
        assert_ended(api, old, soft_logout=True)
    assert_lives(api, answer)


def test_it_can_change_again_at_once(api: Api, tokens: Tokens) -> None:
    answer = content(change(api, tokens), 200)
    assert_lives(api, content(change(api, answer, NEW_PASSWORD, "yet another staple"), 200))


def test_a_narrow_scope_stays_narrow(api: Api, user_id: str) -> None:
    tokens = api.sign_in(scope="profile")
    assert content(change(api, tokens), 200)["scope"] == "profile"


# --- the others ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("members", [{}, {"logout_devices": True}])
def test_the_other_devices_are_signed_out(api: Api, tokens: Tokens, members: dict[str, Any]) -> None:
    """ASVS 7.4.3, Matrix MSC2457: absent means true. The receipt is exact."""
    others = [api.sign_in(), api.sign_in()]
    answer = content(change(api, tokens, **members), 200)
    assert answer["revocation"] == {
        "event": "password_changed",
        "sessions_ended": 2,
        "sessions_kept": 1,
        "mode": "hard",
        "token_version": 2,
        "effective_by": NOW + 10,
        "latest_by": NOW + 330,
    }
    for other in others:
        assert_ended(api, other)


def test_devices_that_are_kept_refresh_once_and_go_on(api: Api, tokens: Tokens) -> None:
    """ASVS 7.4.3. The session that asked is renewed all the same."""
    other = api.sign_in()
    answer = content(change(api, tokens, logout_devices=False), 200)
    assert (answer["revocation"]["sessions_ended"], answer["revocation"]["sessions_kept"]) == (0, 2)
    assert assert_goes_on(api, other)["sid"] == other["sid"]
    assert_ended(api, tokens, soft_logout=True)
    assert_lives(api, answer)


def test_where_the_policy_says_so_they_are_signed_out_softly(realm: Realm, user_id: str) -> None:
    """Design §1: they sign in again on the same device and find their local state."""
    api = _with_row(realm, spared="soft")
    tokens, other = api.sign_in(), api.sign_in(device_id="phone")
    answer = content(change(api, tokens, logout_devices=False), 200)
    assert (answer["revocation"]["mode"], answer["revocation"]["sessions_ended"]) == ("soft", 1)
    assert_ended(api, other, soft_logout=True)
    again = api.sign_in(password=NEW_PASSWORD, device_id="phone")
    assert again["device_id"] == "phone"
    assert_lives(api, again)


def test_where_the_policy_leaves_no_choice_the_member_is_ignored(realm: Realm, user_id: str) -> None:
    api = _with_row(realm, client_may_choose=False)
    tokens, other = api.sign_in(), api.sign_in()
    assert content(change(api, tokens, logout_devices=False), 200)["revocation"]["sessions_ended"] == 1
    assert_ended(api, other)


def test_other_users_notice_nothing(api: Api, realm: Realm, tokens: Tokens) -> None:
    add_user(realm, "eve@example.test")
    eve = api.sign_in("eve@example.test")
    content(change(api, tokens), 200)
    assert_lives(api, eve)


def test_a_sign_in_of_the_same_second_lives(api: Api, tokens: Tokens) -> None:
    """Design §5: versions decide, never timestamps."""
    content(change(api, tokens), 200)
    assert_lives(api, api.sign_in(password=NEW_PASSWORD))


# --- what it takes ---------------------------------------------------------------------------------------------------


def test_afterwards_the_new_password_signs_in_and_the_old_does_not(api: Api, tokens: Tokens) -> None:
    """ASVS 6.2.2."""
    content(change(api, tokens), 200)
    assert_password(api, NEW_PASSWORD)
    assert_no_password(api, PASSWORD)


def test_without_the_current_password_nothing_changes(api: Api, tokens: Tokens) -> None:
    """ASVS 6.2.3: wrong, empty and absent."""
    other = api.sign_in()
    for wrong in ("wrong horse battery staple", "", f"{PASSWORD} ", "x" * 5000):
        problem(change(api, tokens, wrong), 403, "wrong_password")
    response = api.post("/account/password", {"new_password": NEW_PASSWORD}, tokens["access_token"])
    assert field_errors(response) == {"current_password": "missing"}
    assert_password(api, PASSWORD)
    assert_lives(api, other)
    assert_lives(api, tokens)


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("short", "too_short"),
        ("", "empty"),
        ("password1234", "common"),
        (EMAIL, "contains_email"),
        ("x" * 1025, "too_long"),
    ],
)
def test_a_new_password_that_is_refused_ends_nothing(api: Api, tokens: Tokens, new: str, code: str) -> None:
    other = api.sign_in()
    assert field_errors(change(api, tokens, new=new)) == {"new_password": code}
    assert_password(api, PASSWORD)
    assert_lives(api, other)
    assert_lives(api, tokens)


@pytest.mark.parametrize("value", [0, 1, "false", "true", None, []])
def test_logout_devices_is_a_boolean_and_nothing_else(api: Api, tokens: Tokens, value: object) -> None:
    """ASVS 15.3.5. A string "false" that signed everybody out, or a 0 that did not, would surprise somebody."""
    assert field_errors(change(api, tokens, logout_devices=value)) == {"logout_devices": "wrong_type"}
    assert_lives(api, tokens)


@pytest.mark.parametrize("member", ["user_id", "email", "roles", "password"])
def test_nothing_else_can_be_set_beside(api: Api, tokens: Tokens, member: str) -> None:
    """ASVS 15.3.3."""
    assert field_errors(change(api, tokens, **{member: "x"})) == {member: "unknown_member"}


def test_a_stranger_is_told_nothing_about_the_body(api: Api) -> None:
    problem(api.post_raw("/account/password", b"{"), 401, "missing_token")


# --- a session that is too old ---------------------------------------------------------------------------------------


def test_a_session_that_is_too_old_signs_in_again_first(api: Api, tokens: Tokens, clock: ManualClock) -> None:
    """ASVS 7.5.1, RFC 9470 §3 to 5, Authentication sheet: refreshing is not signing in."""
    clock.advance(timedelta(seconds=900))
    just = refreshed(api, tokens)
    clock.advance(timedelta(seconds=1))
    response = change(api, just)
    assert problem(response, 401, "insufficient_user_authentication")["soft_logout"] is True
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer error="insufficient_user_authentication", max_age="900"')
    assert_password(api, PASSWORD)
    content(change(api, api.sign_in(device_id="laptop")), 200)


def test_the_renewed_session_is_a_fresh_one(api: Api, tokens: Tokens, clock: ManualClock) -> None:
    """The current password was just typed."""
    clock.advance(timedelta(seconds=899))
    answer = content(change(api, refreshed(api, tokens)), 200)
    clock.advance(timedelta(seconds=250))
    content(change(api, answer, NEW_PASSWORD, "yet another staple"), 200)


# --- how often -------------------------------------------------------------------------------------------------------


def test_the_eleventh_wrong_try_waits(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """ASVS 6.3.1: a thief with a stolen session does not find the password out, nor use up the owner's tries."""
    api = Api(realm, "10 per 10 minutes")
    tokens = api.sign_in()
    for _ in range(10):
        problem(change(api, tokens, "wrong horse"), 403, "wrong_password")
    response = change(api, tokens)
    problem(response, 429, "too_many_requests")
    assert response.headers["Retry-After"] == "600"
    delete = api.call("DELETE", "/account", tokens["access_token"], json={"current_password": PASSWORD})
    problem(delete, 429, "too_many_requests")
    content(change(api, api.sign_in(), logout_devices=False), 200)
    clock.advance(timedelta(minutes=10))
    content(change(api, refreshed(api, tokens), NEW_PASSWORD, PASSWORD), 200)


def test_a_success_clears_the_count(realm: Realm, user_id: str) -> None:
    api = Api(realm, "10 per 10 minutes")
    tokens = api.sign_in()
    for _ in range(9):
        problem(change(api, tokens, "wrong horse"), 403, "wrong_password")
    tokens = content(change(api, tokens), 200)
    for _ in range(10):
        problem(change(api, tokens, "wrong horse"), 403, "wrong_password")


def test_strangers_cannot_use_up_the_tries(realm: Realm, user_id: str) -> None:
    """ASVS 6.1.1: a flood of wrong sign-ins keeps nobody from changing the password that they guess at."""
    api = Api(realm, "10 per 10 minutes")
    tokens = api.sign_in()
    assert ADDRESS_FACTOR > 11
    for _ in range(11):
        api.login(password="wrong horse battery staple")
    content(change(api, tokens), 200)


# --- the mail --------------------------------------------------------------------------------------------------------


def test_the_user_gets_exactly_one_mail_without_a_secret(api: Api, realm: Realm, tokens: Tokens) -> None:
    """ASVS 6.3.5, 6.3.7."""
    answer = content(change(api, tokens), 200)
    (mail,) = deliver_all(realm)
    assert mail["To"] == EMAIL
    text = mail.as_string()
    for secret in (PASSWORD, NEW_PASSWORD, "$argon2", answer["access_token"], answer["refresh_token"]):
        assert secret not in text


def test_a_change_that_is_refused_sends_none(api: Api, realm: Realm, tokens: Tokens) -> None:
    change(api, tokens, "wrong")
    change(api, tokens, new="short")
    assert deliver_all(realm) == []


# --- the story -------------------------------------------------------------------------------------------------------


def test_three_devices_and_a_password_change(api: Api, realm: Realm, user_id: str) -> None:
    """ASVS 7.4.1, 7.4.3: A goes on, B and C are out, at once."""
    a, b, c = (api.sign_in(device_id=name) for name in "abc")
    changed = content(change(api, a), 200)
    for gone in (b, c):
        assert_ended(api, gone)
    assert_ended(api, a, soft_logout=True)
    a = content(change(api, refreshed(api, changed), NEW_PASSWORD, PASSWORD), 200)
    b, c = (api.sign_in(device_id=name) for name in "bc")
    a = content(change(api, a, logout_devices=False), 200)
    b, c = assert_goes_on(api, b), assert_goes_on(api, c)
    for device in (a, b, c):
        assert refresh(api, device).status_code == 200
