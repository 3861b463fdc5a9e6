"""`/account/password`: what another password ends, and what comes back by itself."""

import dataclasses
import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from authserver.protocol.audit_name import AuditName
from authserver.realm import Realm
from authserver.records.audit import AuditFilter
from authserver.revocation.policy import RevocationPolicy
from authserver.storage import audit
from tests.support.people.account_pages import is_signed_in, read_form, sign_in
from tests.support.people.api import Api, content
from tests.support.people.authorizing import App, answered, register_app
from tests.support.people.credentials import (
    NEW_PASSWORD,
    assert_ended,
    assert_goes_on,
    assert_lives,
    assert_no_password,
    assert_password,
)
from tests.support.people.pages import Form, Pages, dump, read_page
from tests.support.world.clock import ManualClock
from tests.support.world.realm import PASSWORD, add_user

PATH = "/account/password"


def change(pages: Pages, current: str = PASSWORD, new: str = NEW_PASSWORD, *, others: bool = True) -> TestResponse:
    """Type into the form, untick its box or not, and send it."""
    form = read_form(pages, PATH)
    if not others:
        form.pop("logout_devices")
    return pages.post(PATH, None, **{**form, "current_password": current, "new_password": new})


def refusals(realm: Realm) -> list[object]:
    """Why passwords were not changed, as it is recorded."""
    with realm.database.read() as tx:
        found = audit.list_page(tx, AuditFilter(name=AuditName.PASSWORD_CHANGE_FAIL), limit=100)
    return [record.detail["reason"] for record in found]


def test_the_form_is_made_for_password_managers(pages: Pages) -> None:
    """ASVS 6.2.2, 6.2.6, 6.2.7: masked, named, and nothing that keeps anybody from pasting."""
    sign_in(pages)
    text = pages.get(PATH).text
    fields = Form(text.partition("<main")[2], "new_password").fields
    assert (fields["current_password"]["type"], fields["new_password"]["type"]) == ("password", "password")
    assert fields["current_password"]["autocomplete"] == "current-password"
    assert fields["new_password"]["autocomplete"] == "new-password"
    assert fields["username"]["autocomplete"] == "username"
    assert "onpaste" not in text
    assert re.findall(r"<script[^>]*>[^<]*", text) == ['<script src="/pages/password.js" defer>']


def test_the_choice_is_on_by_default_and_says_when_to_keep_it_on(pages: Pages) -> None:
    """ASVS 7.4.3."""
    page = sign_in(pages).get(PATH)
    assert "checked" in Form(page.text.partition("<main")[2], "new_password").fields["logout_devices"]
    assert "Keep this on if somebody else may know your old password." in read_page(page)


def test_a_change_ends_other_browsers_and_apps_at_once_and_says_how_many(
    realm: Realm, api: Api, pages: Pages, user_id: str
) -> None:
    """ASVS 6.2.2, 7.4.3: two browsers, one app on a phone; this browser goes on."""
    others = [sign_in(Pages(api)) for _ in range(2)]
    phone, somebody = api.sign_in(), add_user(realm, "eve@example.test")
    eve = api.sign_in("eve@example.test")
    response = change(sign_in(pages))
    assert response.status_code == 200
    assert "3 devices were signed out. This one stays signed in." in read_page(response)
    assert [is_signed_in(other) for other in others] == [False, False]
    assert_ended(api, phone)
    assert_lives(api, eve)
    assert is_signed_in(pages)
    assert_no_password(api, PASSWORD)
    assert_password(api, NEW_PASSWORD)
    assert somebody != user_id


def test_the_browser_goes_on_under_another_session_and_its_old_cookie_opens_nothing(api: Api, pages: Pages) -> None:
    """ASVS 7.2.4: a copy of the cookie dies with the change; the device is the same one."""
    sign_in(pages)
    old, device = pages.cookie("authserver"), pages.cookie("authserver-device")
    change(pages)
    assert pages.cookie("authserver") != old
    assert pages.cookie("authserver-device") == device
    thief = Pages(api)
    thief.set_cookie("authserver", old)
    assert not is_signed_in(thief)
    assert is_signed_in(pages)


@pytest.mark.parametrize("others", [True, False])
def test_apps_of_this_browser_come_back_silently(realm: Realm, api: Api, pages: Pages, *, others: bool) -> None:
    """Their tokens are dead, and `prompt=none` gives a code in the renewed session."""
    app = App(pages, api, register_app(realm).client.client_id)
    tokens = app.connect()
    assert change(pages, others=others).status_code == 200
    refused = content(app.refresh(tokens["refresh_token"]), 400)
    assert (refused["error"], refused["soft_logout"]) == ("invalid_grant", True)
    again = content(app.redeem(answered(app.send(prompt="none"))["code"]), 200)
    assert again["sid"] != tokens["sid"]
    assert app.refresh(again["refresh_token"]).status_code == 200


def test_apps_of_other_browsers_do_not_come_back(realm: Realm, api: Api, pages: Pages) -> None:
    other = Pages(api)
    app = App(other, api, register_app(realm).client.client_id)
    tokens = app.connect()
    change(sign_in(pages))
    assert content(app.refresh(tokens["refresh_token"]), 400)["soft_logout"] is False
    assert answered(app.send(prompt="none"))["error"] == "login_required"


def test_who_unticks_the_box_keeps_his_other_devices(api: Api, pages: Pages) -> None:
    """ASVS 7.4.3: other browsers stay, programs refresh once and go on."""
    other, phone = sign_in(Pages(api)), api.sign_in()
    response = change(sign_in(pages), others=False)
    assert "No device was signed out. 3 devices stay signed in." in read_page(response)
    assert is_signed_in(other)
    assert_goes_on(api, phone)
    assert_no_password(api, PASSWORD)


def test_a_form_without_the_choice_signs_the_others_out(api: Api, pages: Pages) -> None:
    """A box that is not ticked sends nothing; a template that leaves it out does neither, and must not spare them."""
    phone = api.sign_in()
    form = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert sign_in(pages).post(PATH, None, **form).status_code == 200
    assert_ended(api, phone)


def test_where_the_policy_leaves_no_choice_none_is_offered(realm: Realm) -> None:
    policy = RevocationPolicy({"password_changed": {"client_may_choose": False}})
    api = Api(dataclasses.replace(realm, revocation=dataclasses.replace(realm.revocation, policy=policy)))
    add_user(realm)
    pages, phone = sign_in(Pages(api)), api.sign_in()
    page = pages.get(PATH)
    assert 'type="checkbox"' not in page.text
    assert "This signs out all your other devices." in read_page(page)
    pages.post(PATH, None, current_password=PASSWORD, new_password=NEW_PASSWORD, may_choose="1")
    assert_ended(api, phone)


@pytest.mark.parametrize("others", [True, False])
@pytest.mark.parametrize(
    ("new", "said"), [("short", "at least 10 characters"), ("password123", "attackers try first"), ("", "enter")]
)
def test_a_password_that_is_refused_ends_nothing_and_keeps_the_choice(
    api: Api, pages: Pages, realm: Realm, new: str, said: str, *, others: bool
) -> None:
    """ASVS 6.2.1, 6.2.4: said at its field; recorded once; nothing that was typed comes back."""
    phone = api.sign_in()
    response = change(sign_in(pages), new=new, others=others)
    assert response.status_code == 422
    assert said in read_page(response)
    form = Form(response.text.partition("<main")[2], "new_password")
    assert ("checked" in form.fields["logout_devices"]) is others
    assert "value" not in form.fields["new_password"]
    assert "value" not in form.fields["current_password"]
    assert len(refusals(realm)) == 1
    assert_lives(api, phone)
    assert_password(api, PASSWORD)


@pytest.mark.parametrize("current", ["wrong", "", PASSWORD.upper(), "x" * 2000])
def test_the_current_password_is_needed(api: Api, pages: Pages, realm: Realm, current: str) -> None:
    """ASVS 6.2.3, 16.3.1: recorded once."""
    phone = api.sign_in()
    response = change(sign_in(pages), current=current)
    assert response.status_code == 403
    assert "The password is wrong." in read_page(response)
    assert refusals(realm) == ["wrong_password"]
    assert_lives(api, phone)
    assert_password(api, PASSWORD)


@pytest.mark.parametrize("path", [PATH, "/account/email", "/account/delete"])
def test_tries_of_the_current_password_are_counted_over_all_doors(realm: Realm, user_id: str, path: str) -> None:
    """ASVS 6.3.1: who holds a stolen session does not find the password out with it."""
    api = Api(realm, "2 per minute")
    pages = sign_in(Pages(api))
    typed = {"current_password": "wrong", "new_password": NEW_PASSWORD, "new_email": "ada@example.net"}
    assert pages.post(path, None, **typed).status_code == 403
    assert pages.post("/account/delete", None, **typed).status_code == 403
    before = dump(realm)
    response = pages.post(path, None, **{**typed, "current_password": PASSWORD})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) <= 60
    assert dump(realm) == before


def test_a_right_password_clears_the_count(realm: Realm, user_id: str) -> None:
    pages = sign_in(Pages(Api(realm, "2 per minute")))
    assert change(pages, current="wrong").status_code == 403
    assert change(pages).status_code == 200
    assert change(pages, current="wrong").status_code == 403
    assert change(pages, current=NEW_PASSWORD, new="yet another long one").status_code == 200


def test_codes_that_wait_die_with_the_change(realm: Realm, api: Api, pages: Pages, clock: ManualClock) -> None:
    """Design §5."""
    app = App(pages, api, register_app(realm).client.client_id)
    code = app.authorize()
    change(pages)
    clock.advance(timedelta(seconds=1))
    assert app.redeem(code).status_code == 400
