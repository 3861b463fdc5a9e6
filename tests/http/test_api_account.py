"""`/api/account`, `/api/account/sessions`, and who may call them (contract §3)."""

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from authserver.keyring.live import LiveKeyring
from authserver.realm import Realm
from authserver.storage.schema import Client, User
from tests.support.people.api import ACCOUNT_CALLS, Api, content, problem
from tests.support.world.clock import START, ManualClock
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import EMAIL, add_user, build_keys

CALLS = [*ACCOUNT_CALLS, ("POST", "/logout"), ("POST", "/logout/all")]
NOW = int(START.timestamp())
Recording = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def tokens(api: Api, user_id: str) -> dict[str, Any]:
    """The user's first session."""
    return api.sign_in(device_id="laptop", device_name="Ada's laptop")


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_without_a_token_the_answer_is_a_bare_challenge(api: Api, method: str, path: str) -> None:
    """RFC 6750 §3, §3.1: no error code where no credentials were presented."""
    response = api.call(method, path)
    problem(response, 401, "missing_token")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_other_credentials_count_as_none(api: Api) -> None:
    for header in ("Basic YTpi", "Bearer", "Bearer ", "token abc", ""):
        problem(api.call("GET", "/account", headers={"Authorization": header}), 401, "missing_token")


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_token_that_is_none_is_refused(api: Api, method: str, path: str) -> None:
    for token in ("x", "a.b.c", "a b", "é", "x" * 9000):
        response = api.call(method, path, token)
        assert problem(response, 401, "malformed")["soft_logout"] is False
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token", soft_logout="false"'


def test_a_token_is_taken_from_the_header_alone(api: Api, tokens: dict[str, Any]) -> None:
    """ASVS 14.2.1, RFC 6750 §2: no token in a URL."""
    token = tokens["access_token"]
    problem(api.get(f"/account?access_token={token}"), 401, "missing_token")
    problem(api.call("POST", "/logout", data={"access_token": token}), 401, "missing_token")


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_two_tokens_are_an_invalid_request(api: Api, tokens: dict[str, Any], method: str, path: str) -> None:
    """RFC 6750 §2, §3.1: nobody can say for whom such a request acts. Nothing happens to the account."""
    token = tokens["access_token"]
    for response in (
        api.call(method, f"{path}?access_token=x", token),
        api.call(method, f"{path}?access_token=x&access_token=y"),
        api.call(method, path, token, data={"access_token": token}),
        api.call(method, path, headers={"Authorization": f"Bearer {token},Bearer {token}"}),
    ):
        problem(response, 400, "invalid_request")
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_request"'
    content(api.get("/account?access_token=", token), 200)


def test_the_name_of_the_scheme_has_no_case(api: Api, tokens: dict[str, Any]) -> None:
    header = {"Authorization": f"bEARER {tokens['access_token']}"}
    content(api.call("GET", "/account", headers=header), 200)


def test_a_token_of_another_installation_is_refused(
    api: Api, realm: Realm, tokens: dict[str, Any], clock: ManualClock, entropy: SeededEntropy
) -> None:
    """ASVS 9.2.3: neither another issuer nor other keys, though the database is the same."""
    keys = build_keys(clock, entropy)
    elsewhere = dataclasses.replace(realm, issuer="http://127.0.0.1:9000")
    rekeyed = dataclasses.replace(realm, keyring=LiveKeyring(lambda: keys, clock))
    problem(Api(elsewhere).get("/account", tokens["access_token"]), 401, "wrong_issuer")
    problem(Api(rekeyed).get("/account", tokens["access_token"]), 401, "unknown_key")


def test_a_client_that_is_not_first_party_acts_on_no_account(
    api: Api, realm: Realm, tokens: dict[str, Any], clock: ManualClock
) -> None:
    """Contract §1, although the token's audience holds the issuer."""
    with realm.database.write() as tx:
        tx.execute(update(Client).values(first_party=False))
    clock.advance(timedelta(seconds=6))
    problem(api.get("/account", tokens["access_token"]), 401, "wrong_audience")


@pytest.mark.parametrize(
    ("values", "code", "soft_logout"),
    [
        ({"locked_at": START}, "user_locked", True),
        ({"disabled_at": START}, "session_revoked", False),
        ({"token_version": 2}, "stale_token_version", True),
    ],
)
def test_what_happened_to_the_user_is_seen_at_once(
    api: Api,
    realm: Realm,
    user_id: str,
    tokens: dict[str, Any],
    values: dict[str, object],
    code: str,
    soft_logout: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    """Design §6: at the server itself the database is asked."""
    with realm.database.write() as tx:
        tx.execute(update(User).where(User.user_id == user_id).values(**values))
    response = api.get("/account", tokens["access_token"])
    assert problem(response, 401, code)["soft_logout"] is soft_logout
    assert f'soft_logout="{str(soft_logout).lower()}"' in response.headers["WWW-Authenticate"]


def test_an_account_is_shown_to_its_user(api: Api, user_id: str, tokens: dict[str, Any]) -> None:
    response = api.get("/account", tokens["access_token"])
    assert content(response, 200) == {
        "user_id": user_id,
        "email": EMAIL,
        "email_verified": True,
        "name": "Ada",
        "given_name": "",
        "family_name": "",
        "phone_number": "",
        "address": "",
        "roles": [],
        "created_at": NOW,
        "password_changed_at": NOW,
        "token_version": 1,
    }
    assert response.headers["Cache-Control"] == "no-store"


def test_a_look_at_the_account_costs_two_statements(api: Api, tokens: dict[str, Any], recording: Recording) -> None:
    api.get("/account", tokens["access_token"])
    with recording() as statements:
        api.get("/account", tokens["access_token"])
    assert len(statements) == 2


def test_the_list_shows_each_session(api: Api, tokens: dict[str, Any], clock: ManualClock) -> None:
    """ASVS 7.5.2."""
    clock.advance(timedelta(seconds=10))
    phone = api.sign_in(device_id="phone")
    listed = content(api.get("/account/sessions", tokens["access_token"]), 200)["sessions"]
    assert [session["sid"] for session in listed] == [phone["sid"], tokens["sid"]]
    assert [session["current"] for session in listed] == [False, True]
    assert listed[1] == {
        "sid": tokens["sid"],
        "device_id": "laptop",
        "device_name": "Ada's laptop",
        "client_id": "first-party",
        "clients": ["first-party"],
        "ip": "127.0.0.1",
        "user_agent": listed[1]["user_agent"],
        "created_at": NOW,
        "last_used_at": NOW,
        "expires_at": NOW + 7 * 24 * 3600,
        "current": True,
        "state": "active",
    }


def test_the_list_leaves_out_what_is_over_and_what_is_not_mine(
    api: Api, realm: Realm, tokens: dict[str, Any], clock: ManualClock
) -> None:
    add_user(realm, "eve@example.test")
    api.sign_in("eve@example.test")
    api.post("/logout", token=api.sign_in()["access_token"])
    clock.advance(timedelta(days=7))
    late = api.sign_in()
    listed = content(api.get("/account/sessions", late["access_token"]), 200)["sessions"]
    assert [session["sid"] for session in listed] == [late["sid"]]


def test_the_list_costs_two_statements_however_long_it_is(
    api: Api, tokens: dict[str, Any], recording: Recording
) -> None:
    for _ in range(5):
        api.sign_in()
    with recording() as statements:
        listed = content(api.get("/account/sessions", tokens["access_token"]), 200)["sessions"]
    assert (len(listed), len(statements)) == (6, 2)


def test_a_user_ends_one_session(api: Api, tokens: dict[str, Any]) -> None:
    """ASVS 7.5.2. Ending it again is no error."""
    phone = api.sign_in(device_id="phone")
    for _ in range(2):
        response = api.call("DELETE", f"/account/sessions/{phone['sid']}", tokens["access_token"])
        assert (response.status_code, response.data) == (204, b"")
    problem(api.get("/account", phone["access_token"]), 401, "session_revoked")
    content(api.get("/account", tokens["access_token"]), 200)


def test_a_user_may_end_the_session_that_asks(api: Api, tokens: dict[str, Any]) -> None:
    assert api.call("DELETE", f"/account/sessions/{tokens['sid']}", tokens["access_token"]).status_code == 204
    problem(api.get("/account", tokens["access_token"]), 401, "session_revoked")


def test_the_session_of_another_user_does_not_exist(api: Api, realm: Realm, tokens: dict[str, Any]) -> None:
    """ASVS 7.5.2, 8.2.2: the same answer as for a session that never was."""
    add_user(realm, "eve@example.test")
    eve = api.sign_in("eve@example.test")
    theirs = api.call("DELETE", f"/account/sessions/{eve['sid']}", tokens["access_token"])
    never = api.call("DELETE", "/account/sessions/AAAAAAAAAAAAAAAAAAAAAA", tokens["access_token"])
    assert problem(theirs, 404, "not_found") == problem(never, 404, "not_found")
    content(api.get("/account", eve["access_token"]), 200)


def test_a_hostile_session_id_does_not_exist(api: Api, tokens: dict[str, Any]) -> None:
    """Fault I7: never a 5xx, on both databases."""
    for sid in ("%00", "%ED%A0%80", "%FF", "a" * 5000, "%F0%9F%98%80", "' OR 1=1"):
        problem(api.call("DELETE", f"/account/sessions/{sid}", tokens["access_token"]), 404, "not_found")


def test_ending_all_others_keeps_the_session_that_asks(api: Api, realm: Realm, tokens: dict[str, Any]) -> None:
    """ASVS 7.4.3. The receipt is exact; the access token that asked goes on working."""
    add_user(realm, "eve@example.test")
    others = [api.sign_in(), api.sign_in()]
    eve = api.sign_in("eve@example.test")
    answer = content(api.post("/account/sessions/revoke-others", token=tokens["access_token"]), 200)
    assert answer == {
        "revocation": {
            "event": "signed_out_elsewhere",
            "sessions_ended": 2,
            "sessions_kept": 1,
            "mode": "hard",
            "token_version": 1,
            "effective_by": NOW + 10,
            "latest_by": NOW + 330,
        }
    }
    for other in others:
        problem(api.get("/account", other["access_token"]), 401, "session_revoked")
    for alive in (tokens, eve):
        content(api.get("/account", alive["access_token"]), 200)


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_no_answer_with_account_data_may_be_kept(api: Api, tokens: dict[str, Any], method: str, path: str) -> None:
    """ASVS 14.3.2."""
    assert api.call(method, path, tokens["access_token"]).headers["Cache-Control"] == "no-store"
