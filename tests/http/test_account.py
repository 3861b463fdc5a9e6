"""`PATCH`, `DELETE /api/account` and `GET /api/account/export` (contract §3)."""

from datetime import timedelta

import pytest

from authserver.realm import Realm
from tests.support.people.api import Api, content, field_errors, problem
from tests.support.people.credentials import (
    NEW_PASSWORD,
    Tokens,
    assert_ended,
    assert_lives,
    assert_no_password,
    change,
    refresh,
    refreshed,
)
from tests.support.people.mail import deliver_all, has_link
from tests.support.world.clock import START, ManualClock
from tests.support.world.realm import EMAIL, PASSWORD, add_user

DELETE = {"current_password": PASSWORD}


@pytest.fixture
def tokens(api: Api, user_id: str) -> Tokens:
    """The device that asks."""
    return api.sign_in(device_id="laptop")


# --- the name --------------------------------------------------------------------------------------------------------


def test_a_user_changes_his_name_and_nothing_ends(api: Api, tokens: Tokens, user_id: str) -> None:
    answer = content(api.call("PATCH", "/account", tokens["access_token"], json={"name": "Ada Lovelace 😀"}), 200)
    assert (answer["user_id"], answer["name"], answer["token_version"]) == (user_id, "Ada Lovelace 😀", 1)
    assert content(api.get("/account", tokens["access_token"]), 200) == answer
    assert_lives(api, tokens)


@pytest.mark.parametrize("name", ["two\nlines", "x" * 201, "\u2028"])
def test_a_name_is_printable_and_of_reasonable_length(api: Api, tokens: Tokens, name: str) -> None:
    """ASVS 16.4.1."""
    response = api.call("PATCH", "/account", tokens["access_token"], json={"name": name})
    assert field_errors(response) == {"name": "invalid_name"}


@pytest.mark.parametrize("member", ["email", "email_verified", "roles", "password", "user_id", "token_version"])
def test_nothing_but_the_profile_can_be_set(api: Api, tokens: Tokens, member: str) -> None:
    """ASVS 15.3.3 (mass assignment)."""
    response = api.call("PATCH", "/account", tokens["access_token"], json={"name": "Ada", member: "x"})
    assert field_errors(response) == {member: "unknown_member"}


# --- deletion --------------------------------------------------------------------------------------------------------


def test_a_deleted_account_is_gone(api: Api, realm: Realm, tokens: Tokens) -> None:
    """ASVS 7.4.2. Its address is free again, and another user notices nothing."""
    add_user(realm, "eve@example.test")
    eve, other = api.sign_in("eve@example.test"), api.sign_in()
    response = api.call("DELETE", "/account", tokens["access_token"], json=DELETE)
    assert (response.status_code, response.data) == (204, b"")
    for gone in (tokens, other):
        assert problem(api.get("/account", gone["access_token"]), 401, "session_revoked")["soft_logout"] is False
        assert content(refresh(api, gone), 400)["error"] == "invalid_grant"
    assert_no_password(api, PASSWORD)
    assert_lives(api, eve)
    content(api.post("/register", {"email": EMAIL, "password": PASSWORD}), 201)


def test_the_user_is_told_once_and_without_a_link(api: Api, realm: Realm, tokens: Tokens) -> None:
    """ASVS 6.3.7: there is nothing left that a link could act on."""
    api.call("DELETE", "/account", tokens["access_token"], json=DELETE)
    (mail,) = deliver_all(realm)
    assert mail["To"] == EMAIL
    assert not has_link(mail)


def test_deleting_takes_the_current_password(api: Api, tokens: Tokens) -> None:
    for wrong in ("wrong horse", ""):
        response = api.call("DELETE", "/account", tokens["access_token"], json={"current_password": wrong})
        problem(response, 403, "wrong_password")
    assert field_errors(api.call("DELETE", "/account", tokens["access_token"], json={})) == {
        "current_password": "missing"
    }
    assert_lives(api, tokens)


def test_deleting_takes_a_recent_sign_in(api: Api, tokens: Tokens, clock: ManualClock) -> None:
    """ASVS 7.5.1."""
    clock.advance(timedelta(seconds=901))
    old = refreshed(api, tokens)
    response = api.call("DELETE", "/account", old["access_token"], json=DELETE)
    problem(response, 401, "insufficient_user_authentication")
    assert_lives(api, old)


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_an_export_holds_what_is_kept_and_no_secret(api: Api, realm: Realm, tokens: Tokens) -> None:
    add_user(realm, "eve@example.test")
    api.sign_in("eve@example.test")
    changed = content(change(api, tokens), 200)
    response = api.get("/account/export", changed["access_token"])
    export = content(response, 200)
    assert export["account"] == content(api.get("/account", changed["access_token"]), 200)
    assert export["sessions"] == content(api.get("/account/sessions", changed["access_token"]), 200)["sessions"]
    (event,) = [event for event in export["events"] if event["event"] == "authn_password_change"]
    assert (event["at"], event["outcome"], event["ip"]) == (int(START.timestamp()), "success", "127.0.0.1")
    for secret in (PASSWORD, NEW_PASSWORD, "$argon2", "rt_", "eve@example.test"):
        assert secret not in response.text


def test_an_export_takes_a_recent_sign_in(api: Api, tokens: Tokens, clock: ManualClock) -> None:
    """ASVS 7.5.1: all at once is what a thief of a session would like best."""
    clock.advance(timedelta(seconds=901))
    problem(api.get("/account/export", refreshed(api, tokens)["access_token"]), 401, "insufficient_user_authentication")


# --- sessions --------------------------------------------------------------------------------------------------------


def test_ending_other_sessions_takes_a_recent_sign_in(api: Api, tokens: Tokens, clock: ManualClock) -> None:
    """ASVS 7.5.2: or a thief of one session ends the owner's, and stays. Seeing them, and leaving oneself, does not."""
    other = api.sign_in()
    clock.advance(timedelta(seconds=901))
    old, other = refreshed(api, tokens), refreshed(api, other)
    content(api.get("/account/sessions", old["access_token"]), 200)
    for method, path in (("DELETE", f"/account/sessions/{other['sid']}"), ("POST", "/account/sessions/revoke-others")):
        problem(api.call(method, path, old["access_token"]), 401, "insufficient_user_authentication")
    assert_lives(api, other)
    assert api.call("DELETE", f"/account/sessions/{old['sid']}", old["access_token"]).status_code == 204
    again = api.sign_in(device_id="laptop")
    assert api.call("DELETE", f"/account/sessions/{other['sid']}", again["access_token"]).status_code == 204
    assert_ended(api, other)
