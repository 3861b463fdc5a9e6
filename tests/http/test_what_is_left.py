"""What is handed out is grant ∩ what the client may have now ∩ the user's roles, at every door (RFC 6749 §6)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from authserver.administration.manage_user import change_roles
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID, update_client
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from authserver.realm.client_registry import MAX_AGE
from authserver.records.client import Client
from tests.support.people.api import Api, content, problem
from tests.support.people.authorizing import SCOPE, App, answered, claims_of, register_app
from tests.support.people.credentials import refresh, refreshed
from tests.support.people.introspecting import BILLING, MAIL, own_credentials, register_server
from tests.support.people.pages import Pages
from tests.support.people.person import BY
from tests.support.world.clock import ManualClock
from tests.support.world.realm import AUDIENCE, ISSUER

ASKED = "openid email read offline_access"


@pytest.fixture
def app(realm: Realm, api: Api, pages: Pages) -> App:
    """A confidential client that may name two resources."""
    registered = register_app(realm, kind=ClientKind.CONFIDENTIAL, audience=(BILLING, MAIL))
    assert registered.secret is not None
    return App(pages, api, registered.client.client_id, registered.secret.reveal(), asks={"scope": ASKED})


@pytest.fixture
def administrator(realm: Realm, api: Api, user_id: str) -> dict[str, Any]:
    """The tokens of a user with the role, with the scope `admin` among others."""
    change_roles(realm, user_id, exactly=("admin",), by=BY)
    return api.sign_in(scope="openid admin")


def alter(realm: Realm, clock: ManualClock, client_id: str, **changes: Any) -> None:  # noqa: ANN401 - as the forms say
    """What an operator does, and the seconds until every node knows it."""
    assert isinstance(update_client(realm, client_id, changes), Client)
    clock.advance(timedelta(seconds=MAX_AGE))


def without(*lost: str) -> tuple[str, ...]:
    return tuple(token for token in SCOPE if token not in lost)


def error_of(response: TestResponse) -> str:
    return str(content(response, 400)["error"])


def audience_of(tokens: dict[str, Any]) -> set[str]:
    told = claims_of(tokens["access_token"])["aud"]
    return {told} if isinstance(told, str) else set(told)


def _show_the_last(app: App) -> str:
    return str(app.connect()["refresh_token"])


def _show_the_one_before(app: App) -> str:
    shown = _show_the_last(app)
    content(app.refresh(shown), 200)
    return shown


def _show_one_that_rests(app: App) -> str:
    return str(content(app.refresh(_show_the_last(app)), 200)["refresh_token"])


SHOWN = pytest.mark.parametrize("show", [_show_the_last, _show_the_one_before, _show_one_that_rests])
"""A refresh token that is rotated, one that is answered as a retry, and one whose family rests."""


@SHOWN
def test_a_refresh_hands_out_no_scope_that_the_client_lost(
    app: App, realm: Realm, clock: ManualClock, show: Callable[[App], str]
) -> None:
    """However it is answered. What the client gets back comes back: the grant is what it was."""
    shown = show(app)
    alter(realm, clock, app.client_id, scope=without("read", "email"))
    left = content(app.refresh(shown), 200)
    assert left["scope"] == claims_of(left["access_token"])["scope"] == "openid offline_access"
    alter(realm, clock, app.client_id, scope=SCOPE)
    assert content(app.refresh(left["refresh_token"]), 200)["scope"] == ASKED


@SHOWN
def test_a_lost_scope_asked_for_by_name_is_refused_and_uses_nothing_up(
    app: App, realm: Realm, clock: ManualClock, show: Callable[[App], str]
) -> None:
    shown = show(app)
    alter(realm, clock, app.client_id, scope=without("read"))
    for asked in ("read", "openid read"):
        assert error_of(app.refresh(shown, scope=asked)) == "invalid_scope"
    assert content(app.refresh(shown, scope="openid"), 200)["scope"] == "openid"


def test_where_no_scope_is_left_a_refresh_is_refused_and_the_session_lives(
    app: App, realm: Realm, clock: ManualClock
) -> None:
    tokens = app.connect(scope="read offline_access")
    alter(realm, clock, app.client_id, scope=("openid",))
    for _ in range(3):
        assert error_of(app.refresh(tokens["refresh_token"])) == "invalid_scope"
    alter(realm, clock, app.client_id, scope=SCOPE)
    assert content(app.refresh(tokens["refresh_token"]), 200)["scope"] == "read offline_access"


def test_a_grant_of_nothing_has_lost_nothing(api: Api, realm: Realm, user_id: str, clock: ManualClock) -> None:
    """A client may have no scope at all, and its users sign in all the same."""
    alter(realm, clock, FIRST_PARTY_CLIENT_ID, scope=())
    tokens = api.sign_in()
    assert refreshed(api, tokens)["scope"] == ""


def test_a_refresh_names_no_audience_that_the_client_lost(app: App, realm: Realm, clock: ManualClock) -> None:
    tokens = app.connect(resource=BILLING)
    both = app.connect(scope="read offline_access", resource=AUDIENCE)
    alter(realm, clock, app.client_id, audience=(MAIL,))
    for asked in ({}, {"resource": BILLING}):
        assert error_of(app.refresh(tokens["refresh_token"], **asked)) == "invalid_target"
    assert audience_of(content(app.refresh(both["refresh_token"]), 200)) == {AUDIENCE}
    alter(realm, clock, app.client_id, audience=(BILLING,))
    assert audience_of(content(app.refresh(tokens["refresh_token"]), 200)) == {BILLING}


def test_of_several_audiences_those_that_are_left_are_named(realm: Realm, app: App, clock: ManualClock) -> None:
    """Also the issuer's own, which comes with the scope `openid`."""
    tokens = app.connect()
    assert audience_of(tokens) == {ISSUER, AUDIENCE}
    alter(realm, clock, app.client_id, scope=without("openid"))
    left = content(app.refresh(tokens["refresh_token"]), 200)
    assert (audience_of(left), "id_token" in left) == ({AUDIENCE}, False)
    assert error_of(app.refresh(left["refresh_token"], resource=ISSUER)) == "invalid_target"


def test_a_code_gives_what_is_left(app: App, realm: Realm, clock: ManualClock) -> None:
    """It was made before the client lost something."""
    code = app.authorize()
    alter(realm, clock, app.client_id, scope=without("read", "email"))
    tokens = content(app.redeem(code), 200)
    assert tokens["scope"] == "openid offline_access"
    assert claims_of(tokens["access_token"])["scope"] == "openid offline_access"


def test_a_code_of_which_nothing_is_left_is_refused(app: App, realm: Realm, clock: ManualClock) -> None:
    """And not used up: an operator who erred gives back what was taken."""
    code = app.authorize(scope="read")
    alter(realm, clock, app.client_id, scope=("openid",))
    assert error_of(app.redeem(code)) == "invalid_scope"
    alter(realm, clock, app.client_id, scope=SCOPE, audience=())
    assert content(app.redeem(code), 200)["scope"] == "read"
    code = app.authorize(scope="read offline_access", resource=AUDIENCE)
    assert error_of(app.redeem(code, resource=BILLING)) == "invalid_target"


def test_a_code_whose_audience_the_client_lost_is_refused(app: App, realm: Realm, clock: ManualClock) -> None:
    code = app.authorize(resource=BILLING)
    alter(realm, clock, app.client_id, audience=())
    for asked in ({}, {"resource": BILLING}):
        assert error_of(app.redeem(code, **asked)) == "invalid_target"


def test_offline_access_that_was_lost_before_the_code_was_used_gives_no_refresh_token(
    app: App, realm: Realm, clock: ManualClock
) -> None:
    code = app.authorize()
    alter(realm, clock, app.client_id, scope=without("offline_access"))
    assert "refresh_token" not in content(app.redeem(code), 200)


def test_introspection_tells_what_is_left_of_a_token(app: App, realm: Realm, clock: ManualClock) -> None:
    """RFC 7662 §2.2: at this moment, and authoritative (contract §2)."""
    tokens = app.connect()
    alter(realm, clock, app.client_id, scope=without("read"))

    def told(token: str, who: dict[str, str]) -> dict[str, Any]:
        return content(app.api.client.post("/oauth/introspect", data={"token": token, **who}), 200)

    for token, who in (
        (tokens["access_token"], own_credentials(app)),
        (tokens["access_token"], register_server(realm)),
        (tokens["refresh_token"], own_credentials(app)),
    ):
        assert told(token, who)["scope"] == "openid email offline_access"
    alter(realm, clock, app.client_id, scope=("profile",))
    assert told(tokens["access_token"], own_credentials(app))["scope"] == ""
    assert told(tokens["refresh_token"], own_credentials(app)) == {"active": False}, "no refresh would succeed"
    billing = app.connect(scope="profile", resource=BILLING)["access_token"]
    alter(realm, clock, app.client_id, audience=())
    for who in (own_credentials(app), register_server(realm, BILLING)):
        assert told(billing, who) == {"active": False}


def test_userinfo_tells_what_is_left(app: App, realm: Realm, clock: ManualClock) -> None:
    headers = {"Authorization": f"Bearer {app.connect()['access_token']}"}
    assert "email" in content(app.api.client.get("/oauth/userinfo", headers=headers), 200)
    alter(realm, clock, app.client_id, scope=without("email"))
    assert "email" not in content(app.api.client.get("/oauth/userinfo", headers=headers), 200)
    alter(realm, clock, app.client_id, scope=without("openid"))
    assert error_of_scope(app.api.client.get("/oauth/userinfo", headers=headers)) == "insufficient_scope"


def error_of_scope(response: TestResponse) -> str:
    return str(content(response, 403)["error"])


def test_a_role_that_was_lost_takes_its_scope_along(
    api: Api, realm: Realm, user_id: str, administrator: dict[str, Any]
) -> None:
    assert administrator["scope"] == "openid admin"
    change_roles(realm, user_id, exactly=(), by=BY)
    form = {"grant_type": "refresh_token", "client_id": "first-party", "refresh_token": administrator["refresh_token"]}
    assert error_of(api.client.post("/oauth/token", data={**form, "scope": "admin"})) == "invalid_scope"
    assert refreshed(api, administrator)["scope"] == "openid"


def test_a_grant_of_admin_alone_gives_nothing_without_the_role(api: Api, realm: Realm, user_id: str) -> None:
    change_roles(realm, user_id, exactly=("admin",), by=BY)
    tokens = api.sign_in(scope="admin")
    change_roles(realm, user_id, exactly=(), by=BY)
    for _ in range(2):
        assert error_of(refresh(api, tokens)) == "invalid_scope"
    change_roles(realm, user_id, exactly=("admin",), by=BY)
    assert refreshed(api, tokens)["scope"] == "admin"


def test_a_sign_in_for_what_nobody_may_grant_opens_no_session(
    api: Api, realm: Realm, user_id: str, clock: ManualClock
) -> None:
    problem(api.login(scope="admin"), 400, "invalid_scope")
    assert content(api.login(scope="openid admin"), 200)["scope"] == "openid"
    alter(realm, clock, FIRST_PARTY_CLIENT_ID, scope=("openid",))
    problem(api.login(scope="email"), 400, "invalid_scope")
    assert content(api.login(), 200)["scope"] == "openid"


def test_a_page_gives_no_code_for_what_the_user_may_not_grant(realm: Realm, api: Api, pages: Pages) -> None:
    client = register_app(realm, scope=("openid", "admin")).client
    app = App(pages, api, client.client_id)
    said = answered(app.decide(app.sign_in(app.send(scope="admin"))))
    assert (said["error"], "code" in said) == ("invalid_scope", False)
    assert content(app.redeem(app.authorize(scope="openid admin")), 200)["scope"] == "openid"
