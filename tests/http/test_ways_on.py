"""No page is a dead end: each one that has nothing more to do leads on."""

import dataclasses
import re

import pytest

from authserver.realm import Realm, Registration
from authserver.web.pages.blueprint import Told, answer_told
from tests.support.people.account_pages import sign_in
from tests.support.people.api import Api
from tests.support.people.pages import Pages
from tests.support.world.realm import ISSUER, PASSWORD, add_user


def list_ways(text: str) -> dict[str, str]:
    """Label → target of each link below the heading."""
    return {
        label: target for target, label in re.findall(r'<a [^>]*href="([^"]*)">([^<]*)', text.partition("<main")[2])
    }


def test_a_page_that_names_no_way_leads_to_the_account(api: Api) -> None:
    """So that none can be forgotten."""
    with api.app.test_request_context("/"):
        assert list_ways(answer_told(Told("Title", ("Sentence.",))).get_data(as_text=True)) == {
            "Go to your account": "/account"
        }


@pytest.mark.parametrize("path", ["/nothing", "/consent?request=x", "/login?request=x", "/oauth/authorize?client_id=x"])
def test_where_nothing_can_be_done_there_is_the_account(pages: Pages, path: str) -> None:
    assert list_ways(pages.get(path, Accept="text/html").text) == {"Go to your account": "/account"}


def test_who_waits_for_a_mail_can_go_back_ask_again_or_change_the_address(pages: Pages) -> None:
    """The app that somebody was on the way to comes along."""
    asked = pages.post("/forgot", email="adda@example.test", request="a&b")
    assert list_ways(asked.text) == {
        "Back to sign-in": "/login?request=a%26b",
        "Ask for another mail or change the address": "/forgot?request=a%26b",
    }


def test_who_signed_up_can_go_back_ask_again_or_change_the_address(realm: Realm) -> None:
    careful = dataclasses.replace(realm, registration=Registration(open=True, require_verified_email=True))
    response = Pages(Api(careful)).post(
        "/signup", email="grace@example.test", password="a stapler for every horse", request="a&b"
    )
    assert response.status_code == 202
    assert list_ways(response.text) == {
        "Back to sign-in": "/login?request=a%26b",
        "Ask for another mail or change the address": "/signup?request=a%26b",
    }


@pytest.mark.parametrize("path", ["/reset", "/email/confirm", "/email/revert", "/not-me"])
def test_a_dead_link_leads_to_another_one_and_to_the_sign_in(pages: Pages, path: str) -> None:
    assert list_ways(pages.get(path, "x").text) == {"Ask for a new password": "/forgot", "Back to sign-in": "/login"}


def test_a_link_that_was_used_leads_on(pages: Pages, links: dict[str, str]) -> None:
    done = pages.open_and_send("/reset", links["/reset"], new_password="only mine from now on")
    assert list_ways(done.text) == {"Sign in": "/login"}


def test_a_form_that_is_out_of_date_leads_back_to_itself(pages: Pages) -> None:
    """With what its address said; a page that nobody can look at leads to the account."""
    stale = pages.post_bare("/login", {"Origin": ISSUER}, request="r", next="/account/apps", password="secret")
    assert stale.status_code == 403
    assert list_ways(stale.text) == {"Back to the form": "/login?request=r&amp;next=%2Faccount%2Fapps"}
    stale = pages.post_bare("/account/export", {"Origin": ISSUER})
    assert list_ways(stale.text) == {"Back to the form": "/account"}


def test_who_left_can_sign_in_again(pages: Pages, realm: Realm) -> None:
    add_user(realm, "eve@example.test")
    response = sign_in(pages, "eve@example.test").post("/account/delete", None, current_password=PASSWORD)
    assert list_ways(response.text) == {"Back to sign-in": "/login"}


def test_a_forgotten_password_is_asked_for_beside_the_password(pages: Pages) -> None:
    """Between the field and the button, where people stand when they notice."""
    page = pages.get("/login").text
    assert page.index('id="password"') < page.index("Forgot password?") < page.index('type="submit"')
