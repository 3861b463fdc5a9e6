"""`/account/sessions`: where one is signed in, and the end of it (ASVS 7.5.2)."""

from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from authserver.realm import Realm
from tests.support.people.account_pages import following, is_signed_in, sign_in
from tests.support.people.api import Api
from tests.support.people.authorizing import App, register_app
from tests.support.people.credentials import assert_ended, assert_lives, refresh
from tests.support.people.pages import Pages, dump, read_page
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, PASSWORD, add_user

PATH = "/account/sessions"
OTHERS = "/account/sessions/others"
MOZILLA = "Mozilla/5.0"
FIREFOX = f"{MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def end(pages: Pages, sid: str) -> TestResponse:
    """Press the button of a device."""
    return pages.post(PATH, None, end=sid)


def login(api: Api, ip: str, user_agent: str, **members: str) -> None:
    """A sign-in from elsewhere."""
    body = {"email": EMAIL, "password": PASSWORD, **members}
    place = {"REMOTE_ADDR": ip}
    headers = {"User-Agent": user_agent}
    assert api.call("POST", "/login", json=body, headers=headers, environ_overrides=place).status_code == 200


def test_a_person_sees_each_device_with_what_he_can_know_it_by(
    realm: Realm, api: Api, pages: Pages, clock: ManualClock
) -> None:
    """ASVS 7.5.2: browser, system, network, apps, last use; this device first and marked."""
    login(api, "203.0.113.77", FIREFOX, device_name="My laptop")
    clock.advance(timedelta(hours=3))
    App(pages, api, register_app(realm, "Photo Book").client.client_id).connect()
    page = pages.get(PATH)
    said = read_page(page)
    here, laptop = said[said.index("this device") :].split("My laptop")
    assert "Photo Book" in here
    assert "127.0.0.x" in here
    assert "Browser Firefox on Linux" in laptop
    assert "Last used 3 hours ago" in laptop
    assert "203.0.113.x" in laptop
    assert "First party" in laptop
    assert f'<time datetime="{clock.now():%Y-%m-%dT%H:%M:%SZ}">' in page.text
    assert f"Last used just now {clock.now():%Y-%m-%d %H:%M} UTC" in here
    assert page.text.count(">this device<") == 1


@pytest.mark.parametrize(
    ("ip", "shown"),
    [
        ("203.0.113.77", "203.0.113.x"),
        ("2001:db8:1234:5678::1", "2001:db8::/32"),
        ("::ffff:203.0.113.77", "203.0.113.x"),
        ("unknown", ""),
    ],
)
def test_of_an_address_the_network_alone_is_shown(api: Api, pages: Pages, ip: str, shown: str) -> None:
    login(api, ip, FIREFOX)
    page = sign_in(pages).get(PATH)
    assert ip not in page.text
    assert shown in page.text


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        (FIREFOX, "Firefox on Linux"),
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on Windows"),
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"{MOZILLA} (Linux; Android 10; K) Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iOS"),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) FxiOS/140.0 Safari/605.1", "Firefox on iOS"),
        (f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15", "Safari on macOS"),
        (f"{MOZILLA} (X11; CrOS x86_64 14541.0.0) Chrome/140.0.0.0 Safari/537.36", "Chrome on ChromeOS"),
        ("Firefox/1", "Firefox"),
        ("okhttp/4.9.3 (Android 14)", "Android"),
        ("<script>alert(1)</script>", "Unknown device"),
        ("", "Unknown device"),
    ],
)
def test_browsers_are_known_by_what_they_say(api: Api, pages: Pages, user_agent: str, shown: str) -> None:
    """Nothing of the text itself is shown."""
    login(api, "203.0.113.77", user_agent)
    page = sign_in(pages).get(PATH)
    assert f">{shown}<" in page.text
    assert "alert" not in page.text


def test_a_person_ends_one_device_and_is_told(api: Api, pages: Pages) -> None:
    """ASVS 7.5.2: that one, and no other."""
    phone, desk = api.sign_in(), api.sign_in()
    response = end(sign_in(pages), phone["sid"])
    assert response.status_code == 200
    assert "1 device was signed out. 2 devices stay signed in." in read_page(response)
    assert phone["sid"] not in response.text
    assert_ended(api, phone)
    assert_lives(api, desk)
    assert is_signed_in(pages)


def test_a_person_ends_all_others_and_is_told(api: Api, pages: Pages) -> None:
    """ASVS 7.4.3, 7.5.2."""
    others, phone = [sign_in(Pages(api)) for _ in range(2)], api.sign_in()
    asked = sign_in(pages).get(OTHERS)
    assert "This signs you out on 3 other devices" in read_page(asked)
    assert_lives(api, phone)
    response = pages.post(OTHERS, None)
    assert "3 devices were signed out. This one stays signed in." in read_page(response)
    assert [is_signed_in(other) for other in others] == [False, False]
    assert_ended(api, phone)
    assert is_signed_in(pages)
    assert "Sign out all other devices" not in response.text


def test_who_ends_his_own_session_is_signed_out(realm: Realm, api: Api, pages: Pages) -> None:
    """ASVS 7.4.4."""
    app = App(pages, api, register_app(realm).client.client_id)
    tokens = app.connect()
    response = end(pages, tokens["sid"])
    assert "You are signed out" in read_page(response)
    assert "authserver=;" in response.headers["Set-Cookie"]
    assert not is_signed_in(pages)
    assert app.refresh(tokens["refresh_token"]).status_code == 400


def test_for_others_the_person_proves_himself_again_and_then_may(api: Api, pages: Pages, clock: ManualClock) -> None:
    """ASVS 7.5.2: a thief at an old session shuts nobody out."""
    phone = api.sign_in()
    sign_in(pages)
    clock.advance(timedelta(minutes=16))
    assert following(end(pages, phone["sid"])) == PATH
    assert following(pages.get(OTHERS)) == following(pages.post(OTHERS, None)) == OTHERS
    response = pages.post("/login", None, email=EMAIL, password=PASSWORD, next=OTHERS)
    assert response.headers["Location"] == OTHERS
    response = pages.post(OTHERS, None)
    assert "1 device was signed out." in read_page(response)
    assert refresh(api, phone).status_code == 400


@pytest.mark.parametrize("sid", ["", "none", "x" * 300])
def test_a_device_that_is_not_there_cannot_be_ended(api: Api, pages: Pages, sid: str) -> None:
    phone = api.sign_in()
    response = end(sign_in(pages), sid)
    assert response.status_code == 404
    assert "This device is no longer signed in." in read_page(response)
    assert_lives(api, phone)


def test_the_device_of_another_user_cannot_be_touched(realm: Realm, api: Api, pages: Pages) -> None:
    """ASVS 7.5.2, 8.2.2: no more than that there is none such."""
    add_user(realm, "eve@example.test")
    eve = api.sign_in("eve@example.test")
    sign_in(pages)
    response, nothing = end(pages, eve["sid"]), end(pages, "none")
    assert response.status_code == nothing.status_code == 404
    assert read_page(response) == read_page(nothing)
    assert_lives(api, eve)


def test_a_page_that_is_loaded_by_another_site_ends_nothing(realm: Realm, api: Api, pages: Pages) -> None:
    """ASVS 3.5.3: GET changes nothing, whatever it asks for."""
    phone = api.sign_in()
    sign_in(pages)
    before = dump(realm)
    assert pages.get(f"{PATH}?end=others").status_code == 200
    assert dump(realm) == before
    assert_lives(api, phone)
