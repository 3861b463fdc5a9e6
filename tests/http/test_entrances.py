"""Addresses that people and password managers know without being told."""

import dataclasses
from datetime import timedelta

import pytest

from authserver.realm import Realm
from tests.support.people.account_pages import sign_in
from tests.support.people.api import Api
from tests.support.people.pages import Form, Pages
from tests.support.world.clock import ManualClock


def test_the_bare_host_name_leads_to_the_account(pages: Pages) -> None:
    response = pages.get("/")
    assert (response.status_code, response.headers["Location"]) == (303, "/account")


def test_password_managers_find_the_page(pages: Pages) -> None:
    """W3C, A Well-Known URL for Changing Passwords."""
    response = pages.get("/.well-known/change-password")
    assert (response.status_code, response.headers["Location"]) == (303, "/account/password")


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/id", "/id/account"),
        ("/id/", "/id/account"),
        ("/.well-known/change-password", "/id/account/password"),
        ("/id/.well-known/change-password", "/id/account/password"),
    ],
)
def test_below_a_path_they_lead_below_it(realm: Realm, path: str, location: str) -> None:
    pages = Pages(Api(dataclasses.replace(realm, issuer="https://auth.example/id")))
    assert pages.get(path).headers["Location"] == location


def test_who_is_signed_in_is_not_asked_for_the_password_again(pages: Pages, user_id: str, clock: ManualClock) -> None:
    assert user_id
    sign_in(pages)
    clock.advance(timedelta(hours=1))
    assert pages.get("/login").headers["Location"] == "/account"
    assert pages.get("/login?next=/account/sessions").headers["Location"] == "/account/sessions"
    # Other pages want a sign-in that is fresh, and somebody may want to be somebody else.
    for path in ("/login?next=/account/password", "/login?choice=other"):
        assert "password" in Form(pages.get(path).text, "password").fields, path
