"""The pages that links in mails open (contract §9)."""

import dataclasses
import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from authserver.credentials.hashing_pool import HashingPool, Places
from authserver.realm import Realm, Registration
from tests.support.people.api import Api
from tests.support.people.credentials import (
    NEW_PASSWORD,
    assert_ended,
    assert_goes_on,
    assert_no_password,
    assert_password,
)
from tests.support.people.mail import deliver_all, read_link
from tests.support.people.pages import Form, Pages, dump, read_page
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, PASSWORD, add_user, with_hashing

WITH_LINKS = ("/reset", "/email/confirm", "/email/revert", "/not-me")
ALL = (*WITH_LINKS, "/forgot", "/signup")
NEW = "ada@example.net"


# --- looking ---------------------------------------------------------------------------------------------------------


def test_looking_changes_nothing(pages: Pages, realm: Realm, links: dict[str, str]) -> None:
    """ASVS 3.5.3: mail scanners and previews look at every link."""
    before = dump(realm)
    for path, token in links.items():
        for _ in range(2):
            assert pages.get(path, token).status_code == 200
    pages.get("/forgot")
    assert dump(realm) == before


def test_the_token_travels_in_a_hidden_field_to_a_url_without_it(pages: Pages, links: dict[str, str]) -> None:
    """ASVS 14.2.1."""
    for path, token in links.items():
        form = Form(pages.get(path, token).text)
        assert (form.method, form.action) == ("post", path)
        assert (form.fields["token"]["type"], form.fields["token"]["value"]) == ("hidden", token)


@pytest.mark.parametrize("path", ALL)
def test_pages_keep_to_themselves(pages: Pages, links: dict[str, str], path: str) -> None:
    """ASVS 3.4.3, 3.4.5, 3.4.6, 14.3.2: no referrer for others, no cache, no other host or script, no frame."""
    for response in (pages.get(path, links.get(path)), pages.get(path, "x"), pages.post(path, {}), pages.post(path)):
        assert response.headers["Referrer-Policy"] == ("no-referrer" if "?" in response.request.url else "same-origin")
        assert response.headers["Cache-Control"] == "no-store"
        policy = response.headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert part in policy
        assert "unsafe" not in policy
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert {cookie.partition("=")[0] for cookie in response.headers.getlist("Set-Cookie")} <= {"authserver-form"}
        assert not re.search(
            r"<script(?! src=\"/pages/password.js\" defer></script>)|<style|\sstyle=|\son\w+=|https?://", response.text
        )


def test_the_stylesheet_is_ours_and_knows_the_dark(pages: Pages) -> None:
    response = pages.get("/pages.css")
    assert response.content_type == "text/css; charset=utf-8"
    assert "prefers-color-scheme: dark" in response.text
    assert "url(" not in response.text
    assert pages.get("/pages.css", **{"If-None-Match": response.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", WITH_LINKS)
@pytest.mark.parametrize("token", [None, "", "x", "lt_" + "A" * 65, "é", "<script>alert(1)</script>", "\x00"])
def test_a_dead_link_says_so_and_offers_another(pages: Pages, path: str, token: str | None) -> None:
    for response in (pages.get(path, token), pages.post(path, token=token or "")):
        assert response.status_code == 400
        assert "This link no longer works" in read_page(response)
        assert 'href="/forgot"' in response.text
        assert "alert(1)" not in response.text


@pytest.mark.parametrize("path", WITH_LINKS)
def test_a_page_opens_only_with_links_of_its_own(pages: Pages, links: dict[str, str], path: str) -> None:
    """ASVS 6.6.2."""
    for other in links.keys() - {path}:
        assert pages.get(path, links[other]).status_code == 400
        assert pages.post(path, token=links[other], new_password=NEW_PASSWORD).status_code == 400


# --- acting ----------------------------------------------------------------------------------------------------------


def test_a_password_is_reset_on_a_page(api: Api, pages: Pages, realm: Realm) -> None:
    devices = [api.sign_in() for _ in range(3)]
    assert "a mail with a link is on its way" in read_page(pages.open_and_send("/forgot", email=EMAIL))
    token = read_link(deliver_all(realm)[0])
    response = pages.open_and_send("/reset", token, new_password=NEW_PASSWORD)
    assert response.status_code == 200
    assert "3 devices were signed out." in read_page(response)
    for device in devices:
        assert_ended(api, device)
    assert_password(api, NEW_PASSWORD)
    assert pages.get("/reset", token).status_code == 400


def test_the_field_is_one_that_password_managers_fill(pages: Pages, links: dict[str, str]) -> None:
    """ASVS 6.2.6, 6.2.7: masked, pasted into, filled."""
    field = Form(pages.get("/reset", links["/reset"]).text).fields["new_password"]
    assert (field["type"], field["autocomplete"]) == ("password", "new-password")
    assert "maxlength" not in field
    assert Form(pages.get("/forgot").text).fields["email"]["autocomplete"] == "username"


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "A password needs at least 10 characters."),
        ("password123", "This password is on the lists that attackers try first."),
        ("", ""),
    ],
)
def test_a_password_that_is_refused_is_asked_for_again(
    pages: Pages, links: dict[str, str], password: str, sentence: str
) -> None:
    response = pages.open_and_send("/reset", links["/reset"], new_password=password)
    assert response.status_code == 422
    assert sentence in read_page(response)
    assert f'value="{password}"' not in response.text
    form = Form(response.text)
    assert pages.post(form.action, None, **{**form.values, "new_password": "third time lucky"}).status_code == 200


def test_the_page_for_forgotten_passwords_tells_nothing(pages: Pages, realm: Realm) -> None:
    """ASVS 6.3.8."""
    answers = [pages.post("/forgot", email=email) for email in (EMAIL, "unknown@example.test", "no address", "\x00")]
    assert len({(answer.status_code, answer.text, str(answer.headers)) for answer in answers}) == 1
    assert [mail["To"] for mail in deliver_all(realm)] == [EMAIL]


def test_a_new_user_confirms_his_address_on_a_page(realm: Realm) -> None:
    strict = Api(dataclasses.replace(realm, registration=Registration(open=True, require_verified_email=True)))
    strict.post("/register", {"email": EMAIL, "password": PASSWORD})
    response = Pages(strict).open_and_send("/email/confirm", read_link(deliver_all(realm)[0]))
    assert "You can sign in now." in read_page(response)
    strict.sign_in()


def test_a_changed_address_is_confirmed_on_a_page(api: Api, pages: Pages, realm: Realm) -> None:
    asking, other = api.sign_in(), api.sign_in()
    api.post("/account/email", {"new_email": NEW, "current_password": PASSWORD}, asking["access_token"])
    (token,) = [read_link(mail) for mail in deliver_all(realm) if mail["To"] == NEW]
    response = pages.open_and_send("/email/confirm", token)
    assert "1 device was signed out. 1 device stays signed in." in read_page(response)
    assert_ended(api, other)
    assert_goes_on(api, asking)


def test_an_address_that_was_taken_meanwhile_says_so(api: Api, pages: Pages, realm: Realm) -> None:
    asking = api.sign_in()
    api.post("/account/email", {"new_email": NEW, "current_password": PASSWORD}, asking["access_token"])
    (token,) = [read_link(mail) for mail in deliver_all(realm) if mail["To"] == NEW]
    add_user(realm, NEW)
    assert pages.open_and_send("/email/confirm", token).status_code == 409


@pytest.mark.parametrize("path", ["/email/revert", "/not-me"])
def test_an_account_is_taken_back_on_a_page(
    api: Api, pages: Pages, realm: Realm, links: dict[str, str], path: str
) -> None:
    response = pages.open_and_send(path, links[path])
    assert response.status_code == 200
    assert "2 devices were signed out." in read_page(response)
    assert "choose a new password" in read_page(response)
    for address in (EMAIL, NEW):
        assert_no_password(api, NEW_PASSWORD, address)
    token = read_link(deliver_all(realm)[0])
    assert pages.open_and_send("/reset", token, new_password="only mine from now on").status_code == 200


def test_no_page_shows_an_address(pages: Pages, links: dict[str, str]) -> None:
    """Whoever reads along over a shoulder, or finds a link, learns no address."""
    for path, token in links.items():
        assert "@" not in read_page(pages.get(path, token))
        assert "@" not in read_page(pages.post(path, token=token, new_password="third time lucky"))


# --- too much --------------------------------------------------------------------------------------------------------


def test_asking_too_often_is_told_in_words(realm: Realm) -> None:
    """The page and the API share one count."""
    api = Api(realm, "1 per 10 minutes")
    pages = Pages(api)
    for number in range(100):
        address = f"u{number}@example.test"
        if number % 2:
            assert api.post("/password/forgot", {"email": address}).status_code == 202
        else:
            assert pages.post("/forgot", email=address).status_code == 202
    response = pages.post("/forgot", email=EMAIL)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "600")
    assert "10 minutes" in read_page(response)


def test_a_server_that_is_busy_keeps_the_link(realm: Realm, api: Api, links: dict[str, str]) -> None:
    pool = HashingPool(Places(1, 0))
    pages = Pages(Api(with_hashing(realm, pool=pool)))
    response = pool.run(lambda: pages.post("/reset", token=links["/reset"], new_password="third time lucky"))
    assert isinstance(response, TestResponse)
    assert response.status_code == 503
    assert "Nothing was changed" in read_page(response)
    assert Pages(api).get("/reset", links["/reset"]).status_code == 200


def test_a_link_that_expires_between_page_and_button_says_so(
    pages: Pages, links: dict[str, str], clock: ManualClock
) -> None:
    page = pages.get("/not-me", links["/not-me"])
    clock.advance(timedelta(days=7))
    form = Form(page.text)
    assert pages.post(form.action, None, **form.values).status_code == 400
