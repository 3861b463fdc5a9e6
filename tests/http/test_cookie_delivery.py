"""`"delivery": "cookie"` and `/api/refresh` (contract §3): a refresh token out of reach of scripts and other sites."""

import copy
import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from authserver.clients.client_registration import ClientRegistration
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID, register_client, update_client
from authserver.credentials.events import UserLocked, UserUnlocked
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from tests.support.people.api import Api, content, field_errors, problem
from tests.support.people.credentials import NEW_PASSWORD, Tokens, carry_out, change
from tests.support.people.relying_party import register_app
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, ISSUER, PASSWORD, add_user

NAME = f"authserver-refresh-{FIRST_PARTY_CLIENT_ID}"
APP = "https://app.example"
HERE = {"Origin": ISSUER}


class Browser:
    """A browser whose page signs in with cookies. It keeps what it is given, unless it is made to bring another."""

    def __init__(self, api: Api) -> None:
        self.api = copy.copy(api)
        self.api.client = api.app.test_client()

    def sign_in(self, **members: str) -> Tokens:
        return self.api.sign_in(**{"delivery": "cookie", **members})

    def try_refresh(self, headers: dict[str, str] | None = None, /, **body: str) -> TestResponse:
        return self.api.call("POST", "/refresh", json=body, headers=HERE if headers is None else headers)

    def refresh(self, **body: str) -> Tokens:
        return content(self.try_refresh(**body), 200)

    def held(self, name: str = NAME) -> str:
        cookie = self.api.client.get_cookie(name)
        return "" if cookie is None else cookie.value

    def hold(self, value: str, name: str = NAME) -> None:
        self.api.client.set_cookie(name, value)


@pytest.fixture
def browser(api: Api, user_id: str) -> Browser:
    """The user exists, and has signed in nowhere."""
    assert user_id
    return Browser(api)


def given(response: TestResponse) -> "list[Morsel[str]]":
    """The cookies of an answer."""
    return [cookie for header in response.headers.getlist("Set-Cookie") for cookie in SimpleCookie(header).values()]


def given_tokens(response: TestResponse) -> "list[Morsel[str]]":
    """The cookies of an answer that hold a refresh token: beside it a browser learns that it is a known device."""
    return [cookie for cookie in given(response) if cookie.key.endswith(NAME)]


def assert_cookie_untouched(response: TestResponse) -> None:
    assert given(response) == []


# --- the cookie ------------------------------------------------------------------------------------------------------


def test_a_sign_in_with_cookie_delivery_shows_scripts_no_refresh_token(browser: Browser) -> None:
    """Contract §3, ASVS 3.3.4: everything else of the token answer is there."""
    response = browser.api.login(delivery="cookie")
    tokens = content(response, 200)
    assert "refresh_token" not in tokens
    assert {"access_token", "expires_in", "refresh_expires_in", "scope", "sid", "device_id"} <= tokens.keys()
    (cookie,) = given_tokens(response)
    assert (cookie.key, cookie["max-age"]) == (NAME, str(tokens["refresh_expires_in"]))
    assert cookie.value.startswith("rt_")
    assert cookie.value not in response.text
    assert response.headers["Cache-Control"] == "no-store"


def test_the_cookie_stays_where_it_belongs(realm: Realm, user_id: str) -> None:
    """ASVS 3.3.1, 3.3.2, 3.3.3, 3.3.4: `__Host-`, Secure, HttpOnly, SameSite=Strict, this host alone."""
    api = Api(dataclasses.replace(realm, issuer="https://auth.example"))
    tokens = content(api.login(delivery="cookie"), 200)
    first = api.login(delivery="cookie")
    refreshed = api.call("POST", "/refresh", json={}, headers={"Origin": "https://auth.example"})
    assert content(refreshed, 200)["sid"] == content(first, 200)["sid"] != tokens["sid"]
    for response in (first, refreshed):
        (cookie,) = given_tokens(response)
        assert cookie.key == f"__Host-{NAME}"
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Strict")
        assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert user_id


def test_on_a_loopback_address_browsers_can_keep_it_at_all(browser: Browser) -> None:
    """They drop `__Host-` and, some of them, `Secure` there; all else is the same."""
    (cookie,) = given_tokens(browser.api.login(delivery="cookie"))
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == ("", True, "Strict", "/")


@pytest.mark.parametrize("members", [{}, {"delivery": "body"}])
def test_without_asking_for_it_there_is_no_cookie(browser: Browser, members: dict[str, str]) -> None:
    response = browser.api.login(**members)
    assert content(response, 200)["refresh_token"].startswith("rt_")
    assert_cookie_untouched(response)


@pytest.mark.parametrize("delivery", ["", "Cookie", "header"])
def test_there_are_two_ways_of_delivery(browser: Browser, delivery: str) -> None:
    assert field_errors(browser.api.login(delivery=delivery)) == {"delivery": "invalid_delivery"}


def test_a_sign_in_that_fails_touches_no_cookie(browser: Browser) -> None:
    browser.sign_in()
    before = browser.held()
    assert_cookie_untouched(browser.api.login(password="wrong", delivery="cookie"))
    assert browser.held() == before


def test_two_applications_of_one_site_do_not_overwrite_each_other(realm: Realm, browser: Browser) -> None:
    register_app(realm, "Mail", first_party=True)
    first, second = browser.sign_in(), browser.sign_in(client_id="mail")
    assert browser.held() != browser.held("authserver-refresh-mail") != ""
    assert browser.refresh()["sid"] == first["sid"]
    assert browser.refresh(client_id="mail")["sid"] == second["sid"]


# --- refreshing ------------------------------------------------------------------------------------------------------


def test_a_refresh_gives_the_next_tokens_and_the_next_cookie(browser: Browser, clock: ManualClock) -> None:
    tokens = browser.sign_in()
    for _ in range(3):
        before = browser.held()
        clock.advance(timedelta(minutes=5))
        response = browser.try_refresh()
        tokens = content(response, 200)
        (cookie,) = given_tokens(response)
        assert "refresh_token" not in tokens
        assert cookie.value == browser.held() != before
        assert cookie["max-age"] == str(tokens["refresh_expires_in"])
        assert "rt_" not in response.text
        content(browser.api.get("/account", tokens["access_token"]), 200)


def test_while_the_family_rests_no_cookie_is_given(browser: Browser, clock: ManualClock) -> None:
    """Design §4: a slow answer must not put the cookie back that another tab has exchanged meanwhile."""
    browser.sign_in()
    first = browser.refresh()
    clock.advance(timedelta(seconds=69))
    before = browser.held()
    with capture_logs() as logged:
        response = browser.try_refresh()
    tokens = content(response, 200)
    assert_cookie_untouched(response)
    assert browser.held() == before
    assert [line["resting"] for line in logged if line["event"] == "token_issued"] == [True]
    assert tokens["access_token"] != first["access_token"]
    assert tokens["refresh_expires_in"] == first["refresh_expires_in"] - 69
    assert "refresh_token" not in tokens
    clock.advance(timedelta(seconds=1))
    assert len(given(browser.try_refresh())) == 1


def test_a_lost_answer_is_made_up_for_by_the_cookie_of_its_successor(
    api: Api, browser: Browser, clock: ManualClock
) -> None:
    """A retry is no rest: this browser holds the token before, and has to be given the current one."""
    browser.sign_in()
    other = Browser(api)
    other.hold(browser.held())
    other.refresh()
    clock.advance(timedelta(seconds=30))
    (cookie,) = given_tokens(browser.try_refresh())
    assert cookie.value == other.held()


def test_a_refresh_may_ask_for_less(browser: Browser) -> None:
    """RFC 6749 §6."""
    browser.sign_in()
    assert browser.refresh(scope="openid")["scope"] == "openid"
    response = browser.try_refresh(scope="openid nothing")
    problem(response, 400, "invalid_scope")
    assert_cookie_untouched(response)
    assert "email" in browser.refresh()["scope"]


def test_a_page_of_the_client_may_call(realm: Realm, browser: Browser, clock: ManualClock) -> None:
    page = "http://127.0.0.1:5173"
    update_client(realm, FIRST_PARTY_CLIENT_ID, {"origins": (page,)})
    clock.advance(timedelta(seconds=6))
    browser.sign_in()
    content(browser.try_refresh({"Origin": page}), 200)


def test_two_tabs_at_once_are_given_the_same_cookie(api: Api, browser: Browser, clock: ManualClock) -> None:
    """Design §4: inside the retry window the successor is one, whoever comes first."""
    tokens, old = browser.sign_in(), browser.held()
    tabs = [Browser(api) for _ in range(6)]
    for tab in tabs:
        tab.hold(old)
    with ThreadPoolExecutor(len(tabs)) as pool:
        answers = list(pool.map(Browser.try_refresh, tabs))
    assert [answer.status_code for answer in answers] == [200] * len(tabs)
    assert {tab.held() for tab in tabs} == {answers[0].headers["Set-Cookie"].partition("=")[2].partition(";")[0]}
    clock.advance(timedelta(minutes=2))
    assert tabs[0].refresh()["sid"] == tokens["sid"]


# --- sign-ins whose cookie would be lost: no session is opened --------------------------------------------------------

VITE = "http://localhost:5173"


def sessions_of(realm: Realm) -> int:
    with realm.database.read() as tx:
        return int(tx.exec_driver_sql("SELECT count(*) FROM sessions").scalar_one())


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "foreign_origin"),
        ({"Origin": "null"}, "foreign_origin"),
        ({"Origin": "https://evil.example"}, "foreign_origin"),
        ({"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}, "foreign_origin"),
        ({"Origin": APP, "Sec-Fetch-Site": "cross-site"}, "cross_site"),
        ({"Origin": APP}, "cross_site"),
        ({"Origin": VITE, "Sec-Fetch-Site": "cross-site"}, "cross_site"),
        ({"Origin": VITE}, "cross_site"),
        ({"Origin": "http://127.0.0.1:5173", "Sec-Fetch-Site": "none"}, "cross_site"),
    ],
)
def test_a_page_that_would_lose_the_cookie_is_told_so_and_opens_no_session(
    realm: Realm, browser: Browser, headers: dict[str, str], code: str
) -> None:
    """On a developer's first day: the page on localhost, the server on 127.0.0.1."""
    register_app(realm, "Mail", first_party=True, origins=("https://mail.example",))
    update_client(realm, FIRST_PARTY_CLIENT_ID, {"origins": (APP, VITE, "http://127.0.0.1:5173")})
    body = {"email": EMAIL, "password": PASSWORD, "delivery": "cookie"}
    response = browser.api.call("POST", "/login", json=body, headers=headers)
    said = problem(response, 403, code)
    assert ("localhost" in said["detail"]) == (code == "cross_site")
    assert_cookie_untouched(response)
    assert sessions_of(realm) == 0


@pytest.mark.parametrize(
    ("issuer", "origin", "site"),
    [
        (ISSUER, "http://127.0.0.1:5173", None),
        (ISSUER, "http://127.0.0.1:5173", "same-site"),
        ("https://auth.example.org", "https://app.example.org", "same-site"),
        ("https://auth.example.org", "https://app.example.org", None),
        ("https://auth.example.org", "https://auth.example.org", "same-origin"),
    ],
)
def test_a_page_on_our_site_gets_its_cookie(
    realm: Realm, user_id: str, issuer: str, origin: str, site: str | None
) -> None:
    assert user_id
    update_client(realm, FIRST_PARTY_CLIENT_ID, {"origins": (origin,)})
    api = Api(dataclasses.replace(realm, issuer=issuer))
    headers = {"Origin": origin} | ({} if site is None else {"Sec-Fetch-Site": site})
    body = {"email": EMAIL, "password": PASSWORD, "delivery": "cookie"}
    response = api.call("POST", "/login", json=body, headers=headers)
    assert (response.status_code, len(given_tokens(response))) == (200, 1)


# --- refusals: nothing happens to the cookie -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": f"{ISSUER}.evil.example"},
        {"Origin": f"{ISSUER}/"},
        {"Origin": ISSUER.replace("http:", "https:")},
        {"Origin": ISSUER.replace(":8000", ":8001")},
        {"Origin": ISSUER.upper()},
        {"Origin": "http://localhost:8000"},
        {"Origin": "https://mail.example"},
        {"Origin": ""},
        {"Referer": f"{ISSUER}/"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_a_foreign_page_cannot_use_the_cookie(realm: Realm, browser: Browser, headers: dict[str, str]) -> None:
    """ASVS 3.5.1, contract §3: also a page of another client. Nothing is rotated."""
    register_app(realm, "Mail", first_party=True, origins=("https://mail.example",))
    browser.sign_in()
    before = browser.held()
    response = browser.try_refresh(headers)
    problem(response, 403, "foreign_origin")
    assert_cookie_untouched(response)
    browser.refresh()
    assert browser.held() != before


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_can_send_is_not_taken(browser: Browser, content_type: str) -> None:
    """ASVS 3.5.1, 3.5.2: such a body needs no preflight, and JSON does."""
    browser.sign_in()
    before = browser.held()
    response = browser.api.call("POST", "/refresh", data=b"{}", content_type=content_type, headers=HERE)
    problem(response, 415, "unsupported_media_type")
    assert_cookie_untouched(response)
    assert browser.held() == before


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_no_link_and_no_image_refreshes(browser: Browser, method: str) -> None:
    """ASVS 3.5.3."""
    browser.sign_in()
    assert browser.api.call(method, "/refresh", headers=HERE).status_code == 405


def test_without_a_cookie_there_is_nothing_to_refresh(browser: Browser) -> None:
    response = browser.try_refresh()
    assert problem(response, 401, "missing_cookie")["soft_logout"] is True
    assert_cookie_untouched(response)


@pytest.mark.parametrize("value", ["x", "rt_", "rt_" + "A" * 70])
def test_a_planted_cookie_gives_nothing_and_stays(browser: Browser, value: str) -> None:
    browser.hold(value)
    response = browser.try_refresh()
    assert problem(response, 401, "invalid_grant")["soft_logout"] is False
    assert_cookie_untouched(response)


def test_a_request_that_lost_a_race_never_clears_the_winners_cookie(
    api: Api, browser: Browser, clock: ManualClock
) -> None:
    """Contract §3: a tab that slept comes with a token that was rotated twice; that ends the session, and no cookie."""
    browser.sign_in()
    sleeper = Browser(api)
    sleeper.hold(browser.held())
    for _ in range(2):
        clock.advance(timedelta(minutes=5))
        browser.refresh()
    response = sleeper.try_refresh()
    assert problem(response, 401, "invalid_grant")["soft_logout"] is False
    assert_cookie_untouched(response)
    response = browser.try_refresh()
    problem(response, 401, "invalid_grant")
    assert_cookie_untouched(response)


def test_a_lock_is_no_logout(realm: Realm, user_id: str, browser: Browser) -> None:
    """Design §5: after the unlock the same cookie works."""
    browser.sign_in()
    carry_out(realm, UserLocked(user_id), user_id)
    response = browser.try_refresh()
    assert problem(response, 401, "invalid_grant")["soft_logout"] is True
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token", soft_logout="true"'
    carry_out(realm, UserUnlocked(user_id), user_id)
    browser.refresh()


@pytest.mark.parametrize(
    "registration",
    [
        None,
        {"first_party": False},
        {"first_party": True, "kind": ClientKind.CONFIDENTIAL},
    ],
)
def test_only_a_public_first_party_client_refreshes_by_cookie(
    realm: Realm, browser: Browser, registration: dict[str, Any] | None
) -> None:
    if registration is not None:
        register_client(
            realm,
            ClientRegistration(**{"name": "Mail", "kind": ClientKind.PUBLIC, "client_id": "mail", **registration}),
        )
    browser.sign_in()
    browser.hold(browser.held(), "authserver-refresh-mail")
    problem(browser.try_refresh(client_id="mail"), 403, "unauthorized_client")


def test_the_token_of_one_client_is_nothing_to_another(realm: Realm, browser: Browser) -> None:
    register_app(realm, "Mail", first_party=True)
    browser.sign_in()
    browser.hold(browser.held(), "authserver-refresh-mail")
    problem(browser.try_refresh(client_id="mail"), 401, "invalid_grant")
    browser.refresh()


# --- a password change, and signing out ------------------------------------------------------------------------------


def test_after_a_password_change_the_cookie_holds_the_renewed_session(api: Api, browser: Browser) -> None:
    """ASVS 7.2.4: the old one is dead, wherever a copy of it is."""
    tokens, old = browser.sign_in(), browser.held()
    changed = content(change(browser.api, tokens), 200)
    assert "refresh_token" not in changed
    assert changed["revocation"]["event"] == "password_changed"
    assert browser.held() != old
    assert browser.refresh()["sid"] == changed["sid"] != tokens["sid"]
    thief = Browser(api)
    thief.hold(old)
    problem(thief.try_refresh(), 401, "invalid_grant")


def test_a_program_without_the_cookie_gets_its_token_in_the_answer(browser: Browser) -> None:
    response = change(browser.api, browser.api.sign_in())
    assert content(response, 200)["refresh_token"].startswith("rt_")
    assert_cookie_untouched(response)


def test_a_cookie_of_another_session_is_left_alone(realm: Realm, browser: Browser) -> None:
    """The page signed in with a cookie; another program in the same browser did not."""
    add_user(realm, "eve@example.test")
    browser.sign_in(email="eve@example.test")
    eves = browser.held()
    response = change(browser.api, browser.api.sign_in())
    again = content(response, 200)
    assert "refresh_token" in again
    assert_cookie_untouched(response)
    for path in ("/logout", "/logout/all"):
        tokens = browser.api.sign_in(password=NEW_PASSWORD)
        response = browser.api.post(path, token=tokens["access_token"])
        assert response.status_code == 204
        assert_cookie_untouched(response)
    assert browser.held() == eves
    browser.refresh()


def test_signing_out_takes_the_cookie_of_the_session_back(browser: Browser) -> None:
    """ASVS 7.4.1, 14.3.1."""
    tokens = browser.sign_in()
    response = browser.api.post("/logout", token=tokens["access_token"])
    (cookie,) = given_tokens(response)
    assert (cookie.key, cookie.value, cookie["max-age"]) == (NAME, "", "0")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    problem(browser.try_refresh(), 401, "missing_cookie")


def test_signing_out_of_one_session_keeps_the_cookie_of_another(browser: Browser) -> None:
    """Contract §3: an old tab signs out, after the person signed in again."""
    old = browser.sign_in()
    browser.sign_in()
    response = browser.api.post("/logout", token=old["access_token"])
    assert response.status_code == 204
    assert_cookie_untouched(response)
    browser.refresh()


def test_signing_out_everywhere_takes_back_the_cookie_of_any_session_of_the_user(browser: Browser) -> None:
    old = browser.sign_in()
    browser.sign_in()
    response = browser.api.post("/logout/all", token=old["access_token"])
    (cookie,) = given_tokens(response)
    assert (cookie.key, cookie.value) == (NAME, "")
