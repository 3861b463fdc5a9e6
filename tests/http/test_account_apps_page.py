"""`/account/apps`: which apps may do what, and the end of it (ASVS 10.4.9, 10.7.3)."""

from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from authserver.realm import Realm
from tests.support.people.account_pages import is_signed_in, sign_in
from tests.support.people.api import Api, content
from tests.support.people.authorizing import App, answered, register_app
from tests.support.people.credentials import assert_lives
from tests.support.people.pages import Pages, read_page
from tests.support.world.clock import ManualClock
from tests.support.world.realm import add_user

PATH = "/account/apps"


@pytest.fixture
def app(realm: Realm, api: Api, pages: Pages) -> App:
    """An app of somebody else in this browser."""
    return App(pages, api, register_app(realm, "Photo Book").client.client_id)


def disconnect(pages: Pages, client_id: str) -> TestResponse:
    """Press the button of an app."""
    return pages.post(PATH, None, disconnect=client_id)


def test_an_app_is_shown_with_what_it_may_do(app: App, pages: Pages, clock: ManualClock) -> None:
    """ASVS 10.7.3: in plain words, since when, and when it was used last."""
    tokens = app.connect(scope="openid email offline_access")
    clock.advance(timedelta(hours=2))
    app.refresh(tokens["refresh_token"])
    clock.advance(timedelta(minutes=5))
    said = read_page(pages.get(PATH))
    assert "Photo Book" in said
    assert "See your e-mail address" in said
    assert "Stay connected while you are not using it" in said
    assert "Connected 2 hours ago" in said
    assert "Last used 5 minutes ago" in said


def test_where_there_is_none_the_page_says_so(pages: Pages) -> None:
    assert "No app is connected." in read_page(sign_in(pages).get(PATH))


def test_a_disconnected_app_is_dead_at_once_and_the_others_live(realm: Realm, api: Api, pages: Pages, app: App) -> None:
    """ASVS 10.4.9, 10.7.3: here and on other devices; the person stays signed in, and is asked again next time."""
    elsewhere = App(Pages(api), api, app.client_id)
    other = App(pages, api, register_app(realm, "Mail").client.client_id)
    held, held_elsewhere, spared = app.connect(), elsewhere.connect(), other.connect()
    response = disconnect(pages, app.client_id)
    assert response.status_code == 200
    assert "Photo Book is disconnected." in read_page(response)
    for tokens in (held, held_elsewhere):
        assert content(app.refresh(tokens["refresh_token"]), 400)["soft_logout"] is False
        access = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert api.client.get("/oauth/userinfo", headers=access).status_code == 401
    assert other.refresh(spared["refresh_token"]).status_code == 200
    assert is_signed_in(pages)
    assert app.client_id not in pages.get(PATH).text
    assert answered(app.send(prompt="none"))["error"] == "consent_required"


def test_a_code_that_waits_dies_with_what_was_allowed(app: App, pages: Pages) -> None:
    """ASVS 10.4.9: what was under way when the person changed his mind gives nothing."""
    code = app.authorize()
    assert disconnect(pages, app.client_id).status_code == 200
    assert app.redeem(code).status_code == 400


def test_a_code_of_another_app_lives_on(realm: Realm, api: Api, pages: Pages, app: App) -> None:
    other = App(pages, api, register_app(realm, "Mail").client.client_id)
    app.connect()
    code = other.authorize()
    disconnect(pages, app.client_id)
    assert other.redeem(code).status_code == 200


@pytest.mark.parametrize("client_id", ["", "none", "first-party"])
def test_what_is_not_connected_cannot_be_disconnected(pages: Pages, client_id: str) -> None:
    response = disconnect(sign_in(pages), client_id)
    assert response.status_code == 404
    assert "This app is no longer connected." in read_page(response)


def test_what_an_app_holds_of_another_user_cannot_be_touched(realm: Realm, api: Api, pages: Pages, app: App) -> None:
    add_user(realm, "eve@example.test")
    eve = App(Pages(api), api, app.client_id)
    code = answered(eve.decide(eve.sign_in(eve.send(), "eve@example.test")))["code"]
    tokens = content(eve.redeem(code), 200)
    assert disconnect(sign_in(pages), app.client_id).status_code == 404
    assert eve.refresh(tokens["refresh_token"]).status_code == 200


def test_our_own_app_is_shown_and_ended_too(api: Api, pages: Pages) -> None:
    """A person can end what he was not asked for; another app of ours on another device lives on with its session."""
    api.sign_in()
    page = sign_in(pages).get(PATH)
    assert "First party" in read_page(page)
    assert disconnect(pages, "first-party").status_code == 200
    assert_lives(api, api.sign_in())
