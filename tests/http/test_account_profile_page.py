"""`/account`, its change of address, the export and the end of it all."""

import json
from datetime import timedelta

import pytest

from authserver.realm import Realm
from tests.support.people.account_pages import following, is_signed_in, read_form, sign_in
from tests.support.people.api import Api
from tests.support.people.authorizing import App, register_app
from tests.support.people.credentials import assert_ended, assert_lives, assert_no_password, assert_password
from tests.support.people.mail import deliver_all, read_link
from tests.support.people.pages import Form, Pages, dump, read_page
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, PASSWORD, add_user

PROFILE = {
    "name": "Ada Lovelace",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "phone_number": "+442079460000",
    "address": "12 St James's Square\r\nLondon",
}
NEW = "ada@example.net"

# --- profile ---------------------------------------------------------------------------------------------------------


def test_a_person_sees_and_changes_what_he_says_of_himself(pages: Pages) -> None:
    sign_in(pages)
    assert read_form(pages, "/account", "name")["name"] == "Ada"
    response = pages.post("/account", None, **PROFILE)
    assert response.status_code == 200
    assert "Your profile is saved." in read_page(response)
    text = pages.get("/account").text
    assert read_form(pages, "/account", "name")["phone_number"] == PROFILE["phone_number"]
    assert "12 St James&#39;s Square\nLondon</textarea>" in text
    assert EMAIL in text
    assert "confirmed" in text


def test_an_empty_field_takes_away_what_was_there(pages: Pages) -> None:
    """ASVS 14.2.7."""
    sign_in(pages).post("/account", None, **PROFILE)
    assert pages.post("/account", None, **{**PROFILE, "phone_number": ""}).status_code == 200
    assert PROFILE["phone_number"] not in pages.get("/account").text


def test_what_cannot_be_kept_is_asked_for_again(pages: Pages, realm: Realm) -> None:
    sign_in(pages)
    before = dump(realm)
    response = pages.post("/account", None, name="x" * 1000, phone_number="0190 12", address="x" * 301)
    said = read_page(response)
    assert response.status_code == 422
    assert "printable characters" in said
    assert "A phone number is + and 4 to 15 digits" in said
    assert "An address has at most 300" in said
    assert Form(response.text.partition("<main")[2], "name").values["phone_number"] == "0190 12"
    assert dump(realm) == before


@pytest.mark.parametrize("field", ["email", "email_verified", "roles", "user_id", "token_version"])
def test_nothing_else_can_be_set(pages: Pages, api: Api, field: str) -> None:
    """ASVS 15.3.3."""
    sign_in(pages)
    before = api.get("/account", api.sign_in()["access_token"]).json
    pages.post("/account", None, **{"name": "Ada", field: "admin"})
    assert api.get("/account", api.sign_in()["access_token"]).json == before


# --- address ---------------------------------------------------------------------------------------------------------


def test_an_address_is_changed_by_the_link_that_is_mailed_to_it(realm: Realm, api: Api, pages: Pages) -> None:
    """ASVS 6.3.7; the page tells what happens, both addresses are told, and the link does it."""
    phone = api.sign_in()
    response = sign_in(pages).post("/account/email", None, new_email=NEW, current_password=PASSWORD)
    assert response.status_code == 202
    assert f"If {NEW} can be your new address" in read_page(response)
    assert "all your other devices are signed out" in read_page(response)
    mails = {str(mail["To"]): mail for mail in deliver_all(realm)}
    assert mails.keys() == {EMAIL, NEW}
    assert EMAIL in read_page(pages.get("/account"))
    changed = pages.open_and_send("/email/confirm", read_link(mails[NEW]))
    assert "Your e-mail address is changed" in read_page(changed)
    assert NEW in read_page(pages.get("/account"))
    assert_ended(api, phone)


def test_an_address_of_somebody_else_is_not_told_here(realm: Realm, pages: Pages) -> None:
    """ASVS 6.3.8: the same page; the mail says it to whom it belongs."""
    add_user(realm, NEW)
    sign_in(pages)
    taken = pages.post("/account/email", None, new_email=NEW, current_password=PASSWORD)
    free = pages.post("/account/email", None, new_email="ada@example.org", current_password=PASSWORD)
    assert taken.status_code == free.status_code == 202
    assert read_page(taken).replace(NEW, "") == read_page(free).replace("ada@example.org", "")


def test_an_address_needs_the_password_and_has_to_be_one(pages: Pages, realm: Realm) -> None:
    """ASVS 7.5.1."""
    sign_in(pages)
    response = pages.post("/account/email", None, new_email=NEW, current_password="wrong")
    assert response.status_code == 403
    assert "The password is wrong." in read_page(response)
    assert Form(response.text.partition("<main")[2], "new_email").values["new_email"] == NEW
    response = pages.post("/account/email", None, new_email="no address", current_password=PASSWORD)
    assert response.status_code == 422
    assert "This is not an e-mail address." in read_page(response)
    assert deliver_all(realm) == []


def test_no_mailbox_is_flooded_from_here(realm: Realm, user_id: str) -> None:
    """ASVS 2.4.1: whoever is signed in can cause mails to addresses of others, and not many."""
    pages = sign_in(Pages(Api(realm, "2 per minute")))
    answers = [
        pages.post("/account/email", None, new_email=f"x{number}@example.net", current_password=PASSWORD).status_code
        for number in range(3)
    ]
    assert answers == [202, 202, 429]


# --- export ----------------------------------------------------------------------------------------------------------


def test_a_person_takes_his_data_along(realm: Realm, api: Api, pages: Pages) -> None:
    """A file of JSON with all that is kept, and nothing that opens anything."""
    app = App(pages, api, register_app(realm, "Photo Book").client.client_id)
    app.connect()
    pages.post("/account", None, **PROFILE)
    response = pages.post("/account/export")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.headers["Content-Disposition"] == 'attachment; filename="account.json"'
    assert response.headers["Cache-Control"] == "no-store"
    data = json.loads(response.text)
    assert data["account"]["email"] == EMAIL
    assert data["account"]["phone_number"] == PROFILE["phone_number"]
    assert data["sessions"][0]["current"] is True
    assert data["apps"][0]["name"] == "Photo Book"
    assert "authz_consent_granted" in {event["event"] for event in data["events"]}
    for secret in ("argon2", pages.cookie("authserver"), PASSWORD):
        assert secret not in response.text


def test_the_export_needs_a_recent_sign_in(pages: Pages, clock: ManualClock) -> None:
    """ASVS 7.5.1; no link fetches it either."""
    sign_in(pages)
    assert pages.get("/account/export").status_code == 405
    clock.advance(timedelta(minutes=16))
    assert following(pages.post("/account/export")) == "/account"


# --- deletion --------------------------------------------------------------------------------------------------------


def test_a_person_deletes_his_account_with_his_password(realm: Realm, api: Api, pages: Pages) -> None:
    """ASVS 7.4.2, 14.2.7: at once and everywhere; others live on."""
    phone, somebody = api.sign_in(), add_user(realm, "eve@example.test")
    eve = api.sign_in("eve@example.test")
    app = App(pages, api, register_app(realm).client.client_id)
    tokens = app.connect()
    assert "deletes your account at once and for good" in read_page(pages.get("/account/delete"))
    response = pages.post("/account/delete", None, current_password=PASSWORD)
    assert response.status_code == 200
    assert "Your account was deleted" in read_page(response)
    assert "authserver=;" in response.headers.getlist("Set-Cookie")[0]
    assert not is_signed_in(pages)
    assert app.refresh(tokens["refresh_token"]).status_code == 400
    assert api.get("/account", phone["access_token"]).status_code == 401
    assert_no_password(api, PASSWORD)
    assert_lives(api, eve)
    assert somebody


@pytest.mark.parametrize("password", ["wrong", ""])
def test_without_the_password_nothing_is_deleted(api: Api, pages: Pages, password: str) -> None:
    """ASVS 7.5.1."""
    response = sign_in(pages).post("/account/delete", None, current_password=password)
    assert response.status_code == 403
    assert "The password is wrong." in read_page(response)
    assert is_signed_in(pages)
    assert_password(api, PASSWORD)
