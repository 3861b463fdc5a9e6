"""`/oauth/userinfo` (OpenID Connect Core §5.3): the scope decides what is told, the database whether anything is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from authserver.authentication.browser_session import find_browser_session
from authserver.authentication.sign_out import sign_out
from authserver.credentials.events import CredentialEvent, UserDisabled, UserLocked, UserUnlocked
from authserver.realm import Realm
from authserver.records.client import Client
from authserver.records.pseudonym import subject_identifier
from authserver.records.user import Profile
from authserver.storage import users
from tests.support.people.api import Api, content
from tests.support.people.credentials import carry_out
from tests.support.people.relying_party import Browser, register_app
from tests.support.world.clock import START, ManualClock
from tests.support.world.realm import AUDIENCE, EMAIL

NOW = int(START.timestamp())
PROFILE = Profile(name="Ada Lovelace", phone_number="+442079460000", address="12 St James's Square\nLondon")


@pytest.fixture
def app(realm: Realm) -> Client:
    """A client that is not first-party."""
    return register_app(realm)


@pytest.fixture
def browser(realm: Realm, user_id: str) -> Browser:
    return Browser(realm, user_id)


def ask(api: Api, token: str, method: str = "GET", **request: Any) -> TestResponse:  # noqa: ANN401 - what Werkzeug takes
    return api.client.open("/oauth/userinfo", method=method, headers={"Authorization": f"Bearer {token}"}, **request)


def told(api: Api, token: str) -> dict[str, Any]:
    return content(ask(api, token), 200)


def assert_refused(response: TestResponse, *, soft_logout: bool = False) -> None:
    assert content(response, 401)["error"] == "invalid_token"
    assert content(response, 401)["soft_logout"] is soft_logout
    challenge = f'Bearer error="invalid_token", soft_logout="{str(soft_logout).lower()}"'
    assert response.headers["WWW-Authenticate"] == challenge
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("openid", {}),
        ("openid profile", {"name": "Ada Lovelace", "updated_at": NOW}),
        ("openid email", {"email": EMAIL, "email_verified": True}),
        ("openid phone", {"phone_number": "+442079460000", "phone_number_verified": False}),
        ("openid address", {"address": {"formatted": "12 St James's Square\nLondon"}}),
    ],
)
def test_each_scope_tells_its_claims_and_no_other(
    api: Api, realm: Realm, browser: Browser, app: Client, scope: str, claims: dict[str, object]
) -> None:
    """OpenID Connect Core §5.4."""
    with realm.database.write() as tx:
        users.write_profile(tx, browser.user_id, PROFILE, START)
    response = ask(api, browser.let(app, scope).access_token)
    assert content(response, 200) == {"sub": browser.user_id, **claims}
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "no-store"


def test_what_the_user_has_not_told_is_left_out(api: Api, realm: Realm, browser: Browser, app: Client) -> None:
    """OpenID Connect Core §5.3.2: absent, neither null nor empty."""
    with realm.database.write() as tx:
        users.write_profile(tx, browser.user_id, Profile(name=""), START)
    token = browser.let(app, "openid profile email phone address").access_token
    assert told(api, token).keys() == {"sub", "updated_at", "email", "email_verified", "preferred_username"}


def test_an_answer_speaks_of_now(api: Api, realm: Realm, browser: Browser, app: Client, clock: ManualClock) -> None:
    token = browser.let(app, "openid profile").access_token
    assert told(api, token)["updated_at"] == NOW
    clock.advance(timedelta(seconds=10))
    with realm.database.write() as tx:
        users.write_profile(tx, browser.user_id, Profile(name="Countess"), clock.now())
    assert told(api, token) == {"sub": browser.user_id, "name": "Countess", "updated_at": NOW + 10}


def test_both_methods_answer_and_a_body_changes_nothing(api: Api, browser: Browser, app: Client) -> None:
    """OpenID Connect Core §5.3.1."""
    token = browser.let(app).access_token
    assert told(api, token) == content(ask(api, token, "POST"), 200)
    assert content(ask(api, token, "POST", data={"sub": "x"}), 200) == told(api, token)


def test_a_pairwise_client_knows_users_by_names_of_its_own(api: Api, realm: Realm, browser: Browser) -> None:
    """OpenID Connect Core §8.1, §5.3.2: the same `sub` as in the client's ID tokens."""
    one, other = (register_app(realm, name, pairwise=True) for name in ("One", "Other"))
    subs = {told(api, browser.let(client).access_token)["sub"] for client in (one, other)}
    assert len(subs | {browser.user_id}) == 3
    assert subject_identifier(one, browser.user_id) in subs


def test_a_first_party_client_may_ask_as_well(api: Api, user_id: str) -> None:
    assert told(api, api.sign_in()["access_token"])["sub"] == user_id


def test_without_the_scope_openid_nothing_is_told(api: Api, user_id: str) -> None:
    """RFC 6750 §3.1."""
    response = ask(api, api.sign_in(scope="profile email")["access_token"])
    assert content(response, 403)["error"] == "insufficient_scope"
    assert response.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="openid"'


def test_a_token_for_somebody_else_is_refused(api: Api, realm: Realm, browser: Browser) -> None:
    """Contract §1, ASVS 9.2.3: a resource server that got it must not ask who its user is."""
    client = register_app(realm, audience=(AUDIENCE,))
    assert_refused(ask(api, browser.let(client, "openid", (AUDIENCE,)).access_token))


def test_no_token_is_no_error_but_a_question(api: Api, browser: Browser, app: Client) -> None:
    """RFC 6750 §3.1, §2.2: neither body nor query carries a token here."""
    token = browser.let(app).access_token
    for response in (
        api.client.get("/oauth/userinfo"),
        api.client.get("/oauth/userinfo", headers={"Authorization": "Basic eDp5"}),
        api.client.get("/oauth/userinfo", query_string={"access_token": token}),
        api.client.post("/oauth/userinfo", data={"access_token": token}),
    ):
        assert content(response, 401)["soft_logout"] is False
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_two_tokens_are_an_invalid_request(api: Api, browser: Browser, app: Client) -> None:
    """RFC 6750 §2, §3.1: nobody can say whose claims such a request asks for."""
    token = browser.let(app).access_token
    twice = {"Authorization": f"Bearer {token}, Bearer {token}"}
    for response in (
        ask(api, token, query_string={"access_token": token}),
        ask(api, token, "POST", data={"access_token": token}),
        api.client.get("/oauth/userinfo", headers=twice),
        api.client.post("/oauth/userinfo?access_token=x", data={"access_token": token}),
        api.client.get("/oauth/userinfo?access_token=x&access_token=y"),
    ):
        assert content(response, 400)["error"] == "invalid_request"
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_request"'
        assert response.headers["Cache-Control"] == "no-store"


def test_an_id_token_opens_nothing(api: Api, browser: Browser, app: Client) -> None:
    """ASVS 9.2.2."""
    id_token = browser.let(app).id_token
    assert id_token is not None
    assert_refused(ask(api, id_token))


def test_a_signed_out_session_tells_nothing_any_more(api: Api, realm: Realm, browser: Browser, app: Client) -> None:
    """Design §6: at this server nothing that is revoked acts for a moment."""
    token = browser.let(app).access_token
    asker = find_browser_session(realm, browser.signed_in.cookie)
    assert asker is not None
    sign_out(realm, asker, "127.0.0.1")
    assert_refused(ask(api, token))


@pytest.mark.parametrize(("event", "soft_logout"), [(UserLocked, True), (UserDisabled, False)])
def test_a_user_who_may_not_be_here_is_not_told_about(
    api: Api, realm: Realm, browser: Browser, app: Client, *, event: Callable[[str], CredentialEvent], soft_logout: bool
) -> None:
    token = browser.let(app).access_token
    carry_out(realm, event(browser.user_id), browser.user_id)
    assert_refused(ask(api, token), soft_logout=soft_logout)


def test_after_an_unlock_the_same_token_works(api: Api, realm: Realm, browser: Browser, app: Client) -> None:
    token = browser.let(app).access_token
    carry_out(realm, UserLocked(browser.user_id), browser.user_id)
    carry_out(realm, UserUnlocked(browser.user_id), browser.user_id)
    told(api, token)


def test_an_expired_token_is_refused_softly(api: Api, browser: Browser, app: Client, clock: ManualClock) -> None:
    token = browser.let(app).access_token
    clock.advance(timedelta(seconds=331))
    assert_refused(ask(api, token), soft_logout=True)
