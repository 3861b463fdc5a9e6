"""Where a form may come from: our own pages, and no other site (ASVS 3.5)."""

import dataclasses

import pytest

from authserver.realm import Realm
from tests.support.api import Api
from tests.support.credentials import NEW_PASSWORD
from tests.support.pages import Form, Pages, dump, read_page
from tests.support.realm import EMAIL, ISSUER

NEW = "ada@example.net"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": f"{ISSUER}.evil.example"},
        {"Origin": f"{ISSUER}/"},
        {"Origin": "http://127.0.0.1"},
        {"Referer": ISSUER},
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
    ],
)
def test_a_form_of_ours_counts(pages: Pages, headers: dict[str, str]) -> None:
    """Browsers write a null Origin on forms of pages that send no referrer (Fetch §3.2)."""
    assert pages.post("/forgot", headers, email=EMAIL).status_code == 202


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
