"""Where a form may come from: our own pages, and no other site (ASVS 3.5)."""

import dataclasses

import pytest

from authserver.realm import Realm
from tests.support.people.api import Api
from tests.support.people.credentials import NEW_PASSWORD
from tests.support.people.pages import Form, Pages, dump, read_page
from tests.support.world.realm import EMAIL, ISSUER

NEW = "ada@example.net"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": f"{ISSUER}.evil.example"},
        {"Origin": f"{ISSUER}/"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": ISSUER},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_form_of_another_site_does_nothing(
    pages: Pages, realm: Realm, links: dict[str, str], headers: dict[str, str]
) -> None:
    """ASVS 3.5.1: 403 for each form."""
    before = dump(realm)
    for path, token in links.items():
        response = pages.post(path, headers, token=token, new_password=NEW_PASSWORD)
        assert response.status_code == 403
        assert "Nothing was changed" in read_page(response)
    assert pages.post("/forgot", headers, email=NEW).status_code == 403
    assert dump(realm) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": ISSUER},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Origin": "null"},
        {},
    ],
)
def test_a_form_of_ours_counts(pages: Pages, headers: dict[str, str]) -> None:
    """Older browsers send no `Sec-Fetch-Site`, and a null Origin from a page without referrer (Fetch §3.2)."""
    assert pages.post("/forgot", headers, email=EMAIL).status_code == 202


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Referer": f"{ISSUER}/forgot"}])
def test_where_no_header_tells_the_token_of_the_form_decides(
    pages: Pages, realm: Realm, links: dict[str, str], headers: dict[str, str]
) -> None:
    pages.find_token()
    before = dump(realm)
    for path, token in links.items():
        typed = {"token": token, "new_password": NEW_PASSWORD, "csrf_token": "A" * 43}
        assert pages.post_bare(path, headers, **typed).status_code == 403
    assert dump(realm) == before


@pytest.mark.parametrize(
    ("issuer", "origin"),
    [
        ("https://auth.example", "https://auth.example"),
        ("https://auth.example:443", "https://auth.example"),
        ("https://auth.example:8443/x", "https://auth.example:8443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_origin_is_written_as_browsers_do(realm: Realm, issuer: str, origin: str) -> None:
    """RFC 6454 §6.2."""
    api = Api(dataclasses.replace(realm, issuer=issuer))
    prefix = "/x" if issuer.endswith("/x") else ""
    assert Pages(api, prefix).post(f"{prefix}/forgot", {"Origin": origin}, email=EMAIL).status_code == 202


def test_below_an_issuer_with_a_path_forms_and_stylesheet_are_found(realm: Realm) -> None:
    pages = Pages(Api(dataclasses.replace(realm, issuer="https://auth.example/id")))
    page = pages.get("/id/forgot")
    assert Form(page.text).action == "/id/forgot"
    assert 'href="/id/pages.css"' in page.text
    assert pages.get("/id/pages.css").status_code == 200


# --- the token in the form -------------------------------------------------------------------------------------------

FORMS = ("/forgot", "/signup", "/reset", "/email/confirm", "/email/revert", "/not-me")


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_its_token_does_nothing(pages: Pages, realm: Realm, links: dict[str, str], path: str) -> None:
    """ASVS 3.5.1: beside where it comes from, a form proves that its page was seen in this browser."""
    typed = {"token": links.get(path, ""), "email": NEW, "new_password": NEW_PASSWORD, "password": NEW_PASSWORD}
    of_another_browser = Pages(Api(realm)).find_token()
    pages.find_token()
    before = dump(realm)
    for token in ({}, {"csrf_token": ""}, {"csrf_token": "A" * 43}, {"csrf_token": of_another_browser}):
        response = pages.post_bare(path, {"Origin": ISSUER}, **typed, **token)
        assert response.status_code == 403
        assert "Nothing was changed" in read_page(response)
    assert dump(realm) == before


def test_a_browser_that_keeps_no_cookies_is_told_so(realm: Realm, pages: Pages) -> None:
    token = pages.find_token()
    response = Pages(Api(realm)).post_bare("/forgot", {"Origin": ISSUER}, email=EMAIL, csrf_token=token)
    assert response.status_code == 403
    assert "does not keep the cookie" in read_page(response)


def test_a_token_counts_in_every_tab(pages: Pages) -> None:
    """The value of the browser stays while it lives: a form that was open longer still works."""
    first = Form(pages.get("/forgot").text).values["csrf_token"]
    again = pages.get("/signup")
    assert "Set-Cookie" not in again.headers
    assert Form(again.text).values["csrf_token"] == first
    assert pages.post_bare("/forgot", {"Origin": ISSUER}, email=EMAIL, csrf_token=first).status_code == 202


def test_the_token_is_not_what_the_cookie_holds(pages: Pages) -> None:
    """Who sees the page, over a shoulder or in a cache, cannot make tokens for other pages from it."""
    response = pages.get("/forgot")
    value = response.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    assert len(value) == 43
    assert value not in response.text


@pytest.mark.parametrize("planted", ["", "short", "A" * 600, "%00", "A" * 42 + "!"])
def test_a_value_that_we_never_gave_is_replaced(realm: Realm, planted: str) -> None:
    response = Pages(Api(realm)).get("/forgot", Cookie=f"authserver-form={planted}")
    assert "authserver-form=" in response.headers["Set-Cookie"]


def test_a_field_that_is_there_twice_is_no_form_of_ours(realm: Realm, pages: Pages) -> None:
    """ASVS 15.3.7: nobody has to guess which one counts."""
    token = pages.find_token()
    before = dump(realm)
    body = f"csrf_token={token}&email={EMAIL}&email={NEW}"
    assert pages.send("/forgot", body).status_code == 403
    assert pages.send("/forgot", f"csrf_token={token}&email={EMAIL}", "text/plain").status_code == 403
    assert dump(realm) == before
