"""`/api/register`, `/api/login`, `/api/logout`, `/api/logout/all` (contract §3)."""

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from authserver.clients.client_standing import disable_client
from authserver.clients.register_client import ClientRegistration, register_client
from authserver.credentials.hashing_pool import HashingPool, Places
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.pause import LONGEST_PAUSE
from authserver.realm import Realm, Registration
from authserver.records.audit import Actor
from authserver.storage import sessions
from authserver.storage.schema import Session, User
from tests.support.people.api import Api, content, field_errors, problem
from tests.support.world.clock import START, ManualClock
from tests.support.world.realm import EMAIL, PASSWORD, SCOPE, add_user, with_hashing

WRONG = "wrong horse battery staple"
Recording = Callable[[], AbstractContextManager[list[str]]]


def _write(realm: Realm, user_id: str, **values: object) -> None:
    with realm.database.write() as tx:
        tx.execute(update(User).where(User.user_id == user_id).values(**values))


def _refresh(api: Api, token: str) -> int:
    form = {"grant_type": "refresh_token", "client_id": "first-party", "refresh_token": token}
    return api.client.post("/oauth/token", data=form).status_code


# --- register --------------------------------------------------------------------------------------------------------


def test_whoever_registers_can_sign_in(api: Api) -> None:
    answer = content(api.post("/register", {"email": EMAIL, "password": PASSWORD, "name": "Ada"}), 201)
    assert answer.keys() == {"user_id"}
    account = content(api.get("/account", api.sign_in()["access_token"]), 200)
    assert (account["user_id"], account["name"]) == (answer["user_id"], "Ada")


def test_an_address_is_registered_once_in_whatever_spelling(api: Api) -> None:
    content(api.post("/register", {"email": EMAIL, "password": PASSWORD}), 201)
    problem(api.post("/register", {"email": EMAIL.upper(), "password": PASSWORD}), 409, "email_taken")


def test_everything_wrong_with_a_registration_is_told_at_once(api: Api) -> None:
    response = api.post("/register", {"email": "nobody", "password": "short", "name": "two\nlines"})
    assert field_errors(response) == {"email": "invalid_email", "name": "invalid_name", "password": "too_short"}
    assert "short" not in {error["message"] for error in content(response, 422)["errors"]}


@pytest.mark.parametrize("registration", [Registration(False, False), Registration(False, True)])
def test_a_closed_registration_says_so(realm: Realm, registration: Registration) -> None:
    api = Api(dataclasses.replace(realm, registration=registration))
    problem(api.post("/register", {"email": EMAIL, "password": PASSWORD}), 403, "registration_closed")


# --- sign in ---------------------------------------------------------------------------------------------------------


def test_a_sign_in_answers_with_tokens(api: Api, user_id: str) -> None:
    response = api.login(device_id="laptop", device_name="Ada's laptop")
    answer = content(response, 200)
    assert response.headers["Cache-Control"] == "no-store"
    assert answer.keys() == {
        "access_token",
        "token_type",
        "expires_in",
        "id_token",
        "refresh_token",
        "refresh_expires_in",
        "scope",
        "sid",
        "device_id",
        "device_token",
    }
    assert (answer["token_type"], answer["expires_in"], answer["refresh_expires_in"]) == ("Bearer", 300, 604800)
    assert (answer["device_id"], answer["scope"]) == ("laptop", "openid profile email")
    assert _refresh(api, answer["refresh_token"]) == 200


def test_four_ways_not_to_get_in_look_alike(api: Api, realm: Realm, user_id: str, recording: Recording) -> None:
    """ASVS 6.3.8; Authentication sheet: unknown, wrong password, locked, disabled.

    The same text, status, headers and number of statements.
    """
    _write(realm, add_user(realm, "locked@example.test"), locked_at=START)
    _write(realm, add_user(realm, "disabled@example.test"), disabled_at=START)
    api.login("warm@example.test")
    answers = []
    for email, password in [
        ("unknown@example.test", PASSWORD),
        (EMAIL, WRONG),
        ("locked@example.test", PASSWORD),
        ("disabled@example.test", PASSWORD),
        ("no address at all", PASSWORD),
    ]:
        with recording() as statements:
            response = api.login(email, password)
        problem(response, 401, "invalid_credentials")
        answers.append((response.text, dict(response.headers), len(statements)))
    assert answers[0] == answers[1] == answers[2] == answers[3]
    assert answers[4][:2] == answers[0][:2]


def test_a_refused_sign_in_offers_the_scheme_without_an_error(api: Api, user_id: str) -> None:
    """RFC 9110 §15.5.2 wants a challenge; RFC 6750 §3.1 wants no error code where no token was presented."""
    assert api.login(password=WRONG).headers["WWW-Authenticate"] == "Bearer"


def test_the_spelling_of_address_and_password_does_not_matter(api: Api, realm: Realm) -> None:
    add_user(realm, EMAIL, "correct h\u00f6rse battery")
    api.sign_in(f"  {EMAIL.upper()} ", "correct ho\u0308rse battery")


def test_a_password_is_compared_as_it_is(api: Api, user_id: str) -> None:
    """ASVS 6.2.8: nothing trimmed, folded or cut."""
    for password in (PASSWORD + " ", PASSWORD.upper(), PASSWORD[:-1], "x" * 5000):
        problem(api.login(password=password), 401, "invalid_credentials")


def test_an_unconfirmed_address_may_not_sign_in_where_that_is_asked(realm: Realm, user_id: str) -> None:
    """Only who knows the password hears of it."""
    api = Api(dataclasses.replace(realm, registration=Registration(open=True, require_verified_email=True)))
    _write(realm, user_id, email_verified=False)
    problem(api.login(), 403, "email_not_verified")
    problem(api.login(password=WRONG), 401, "invalid_credentials")


def test_only_first_party_clients_sign_people_in(api: Api, realm: Realm, user_id: str, clock: ManualClock) -> None:
    register_client(
        realm, ClientRegistration("Other", ClientKind.PUBLIC, "other", redirect_uris=("https://app.example/",))
    )
    for client_id in ("other", "nobody", ""):
        problem(api.login(client_id=client_id), 403, "unauthorized_client")
    disable_client(realm, "first-party", Actor("test"))
    clock.advance(timedelta(seconds=6))
    problem(api.login(), 403, "unauthorized_client")


def test_a_sign_in_gets_the_scope_that_it_asks_for(api: Api, user_id: str) -> None:
    assert api.sign_in(scope="profile")["scope"] == "profile"
    assert api.sign_in(scope="profile openid profile")["scope"] == "profile openid"
    problem(api.login(scope="profile nothing"), 400, "invalid_scope")


def test_the_admin_scope_is_for_admins(api: Api, realm: Realm, user_id: str) -> None:
    """Contract §1."""
    add_user(realm, "root@example.test", roles=("admin",))
    assert api.sign_in("root@example.test")["scope"] == " ".join(SCOPE)
    assert api.sign_in(scope="openid admin")["scope"] == "openid"


def test_too_many_sign_ins_at_once_are_asked_to_come_back(realm: Realm, user_id: str) -> None:
    pool = HashingPool(Places(1, 0))
    api = Api(with_hashing(realm, pool=pool))
    response = pool.run(api.login)  # the only place is taken by whoever runs this
    assert isinstance(response, TestResponse)
    problem(response, 503, "busy")
    assert 1 <= int(response.headers["Retry-After"]) <= LONGEST_PAUSE


def test_those_who_are_sent_away_together_do_not_come_back_together(realm: Realm, user_id: str) -> None:
    pool = HashingPool(Places(1, 0))
    api = Api(with_hashing(realm, pool=pool))
    pauses = pool.run(lambda: {api.login().headers["Retry-After"] for _ in range(50)})
    assert pauses == {str(1 + pause) for pause in range(LONGEST_PAUSE)}


def test_a_known_device_has_a_place_when_all_others_are_taken(realm: Realm, user_id: str) -> None:
    """A flood of sign-ins keeps strangers out, not who signed in there before."""
    known = Api(realm).sign_in(device_id="phone")["device_token"]
    pool = HashingPool(Places(1, 1))
    api = Api(with_hashing(realm, pool=pool))
    statuses = pool.run(
        lambda: [api.login(device_id="phone", device_token=token).status_code for token in (known, "dt_made_up")]
    )
    assert statuses == [200, 503]


# --- devices and sessions --------------------------------------------------------------------------------------------


def test_a_device_has_one_session(api: Api, user_id: str) -> None:
    """Matrix: signing in with an existing device id ends that device's earlier session."""
    first = api.sign_in(device_id="phone")
    other = api.sign_in(device_id="tablet")
    second = api.sign_in(device_id="phone")
    assert first["sid"] != second["sid"]
    assert problem(api.get("/account", first["access_token"]), 401, "session_revoked")["soft_logout"] is False
    assert _refresh(api, first["refresh_token"]) == 400
    assert [_refresh(api, answer["refresh_token"]) for answer in (other, second)] == [200, 200]


def test_a_device_id_of_another_user_is_just_a_name(api: Api, realm: Realm, user_id: str) -> None:
    add_user(realm, "eve@example.test")
    mine = api.sign_in(device_id="phone")
    api.sign_in("eve@example.test", device_id="phone")
    content(api.get("/account", mine["access_token"]), 200)


def test_above_the_cap_the_longest_idle_session_ends(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """ASVS 7.1.2."""
    lifetimes = dataclasses.replace(realm.lifetimes, max_sessions_per_user=2)
    api = Api(dataclasses.replace(realm, lifetimes=lifetimes))
    answers = []
    for _ in range(2):
        answers.append(api.sign_in())
        clock.advance(timedelta(seconds=1))
    assert _refresh(api, answers[0]["refresh_token"]) == 200
    clock.advance(timedelta(seconds=1))
    answers.append(api.sign_in())
    statuses = [api.get("/account", answer["access_token"]).status_code for answer in answers]
    assert statuses == [200, 401, 200]


def test_a_user_agent_is_kept_short_and_printable(api: Api, realm: Realm, user_id: str) -> None:
    """ASVS 16.4.1."""
    body = {"email": EMAIL, "password": PASSWORD}
    content(api.call("POST", "/login", json=body, headers={"User-Agent": "Agent\x1b[31m" + "x" * 1000}), 200)
    with realm.database.read() as tx:
        (summary,) = sessions.list_live(tx, user_id, START)
    assert summary.session.user_agent == ("Agent[31m" + "x" * 1000)[:300]


# --- sign out --------------------------------------------------------------------------------------------------------


def test_signing_out_ends_the_session_that_asks(api: Api, user_id: str) -> None:
    """ASVS 7.4.1, 7.4.4: dead at once, access token and refresh token."""
    mine, other = api.sign_in(), api.sign_in()
    response = api.post("/logout", token=mine["access_token"])
    assert (response.status_code, response.data) == (204, b"")
    problem(api.get("/account", mine["access_token"]), 401, "session_revoked")
    assert _refresh(api, mine["refresh_token"]) == 400
    content(api.get("/account", other["access_token"]), 200)


def test_signing_out_everywhere_ends_all_sessions_of_this_user(api: Api, realm: Realm, user_id: str) -> None:
    add_user(realm, "eve@example.test")
    mine, other, stranger = api.sign_in(), api.sign_in(), api.sign_in("eve@example.test")
    assert api.post("/logout/all", token=mine["access_token"]).status_code == 204
    assert [_refresh(api, answer["refresh_token"]) for answer in (mine, other, stranger)] == [400, 400, 200]
    assert content(api.get("/account", api.sign_in()["access_token"]), 200)["token_version"] == 2


@pytest.mark.parametrize("path", ["/logout", "/logout/all"])
def test_an_access_token_may_sign_out_for_a_day_after_it_expired(
    api: Api, user_id: str, clock: ManualClock, path: str
) -> None:
    """Contract §3."""
    answer = api.sign_in()
    clock.advance(timedelta(seconds=300 + 31))
    assert problem(api.get("/account", answer["access_token"]), 401, "expired")["soft_logout"] is True
    clock.advance(timedelta(hours=23, minutes=59))
    assert api.post(path, token=answer["access_token"]).status_code == 204
    assert _refresh(api, answer["refresh_token"]) == 400


@pytest.mark.parametrize("path", ["/logout", "/logout/all"])
def test_after_that_day_it_may_not(api: Api, user_id: str, clock: ManualClock, path: str) -> None:
    answer = api.sign_in()
    clock.advance(timedelta(days=1, seconds=301))
    problem(api.post(path, token=answer["access_token"]), 401, "expired")
    assert _refresh(api, answer["refresh_token"]) == 200


@pytest.mark.parametrize("path", ["/logout", "/logout/all"])
def test_a_locked_user_may_still_sign_out(api: Api, realm: Realm, user_id: str, path: str) -> None:
    """Matrix: locked is a soft logout everywhere but at the door out."""
    answer = api.sign_in()
    _write(realm, user_id, locked_at=START)
    assert problem(api.get("/account", answer["access_token"]), 401, "user_locked")["soft_logout"] is True
    assert api.post(path, token=answer["access_token"]).status_code == 204


@pytest.mark.parametrize("path", ["/logout", "/logout/all"])
def test_a_softly_ended_session_may_still_sign_out(api: Api, realm: Realm, user_id: str, path: str) -> None:
    """Contract §3."""
    answer = api.sign_in()
    with realm.database.write() as tx:
        tx.execute(
            update(Session)
            .where(Session.sid == answer["sid"])
            .values(ended_at=START, ended_by="password_changed", soft_logout=True)
        )
    assert problem(api.get("/account", answer["access_token"]), 401, "session_revoked")["soft_logout"] is True
    assert api.post(path, token=answer["access_token"]).status_code == 204


def test_signing_out_twice_finds_no_session_any_more(api: Api, user_id: str) -> None:
    token = api.sign_in()["access_token"]
    api.post("/logout", token=token)
    problem(api.post("/logout", token=token), 401, "session_revoked")
