"""What every page carries, and no page leaves out (ASVS 3.4)."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from authserver.realm import Realm
from authserver.web import pages as pages_room
from authserver.web.pages.blueprint import SCRIPTED, answer_page
from tests.support.people.api import Api
from tests.support.people.pages import Form, Pages

TEMPLATES = Path(pages_room.__file__).parent / "templates"
FILES = {"/pages.css": "text/css; charset=utf-8", "/pages/logo": "image/svg+xml"}
SCRIPTS = ("/pages/form-post.js", "/pages/password.js")


def list_pages(app: Flask) -> set[tuple[str, str]]:
    """Path and method of each page, as they are registered."""
    return {
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.") and not rule.arguments and rule.rule not in {*FILES, *SCRIPTS}
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}
    }


def visit_all(pages: Pages, app: Flask) -> Iterator[tuple[str, TestResponse]]:
    for path, method in sorted(list_pages(app)):
        yield f"{method} {path}", pages.get(path) if method == "GET" else pages.post(path)


def test_every_page_carries_the_headers_that_protect_it(api: Api, pages: Pages) -> None:
    """ASVS 3.4.3, 3.4.4, 3.4.5, 3.4.6, 3.4.8, 14.3.2; redirects hold nothing that could run or be framed."""
    seen = 0
    for name, response in visit_all(pages, api.app):
        assert response.headers["Cache-Control"] == "no-store", name
        assert response.headers["X-Content-Type-Options"] == "nosniff", name
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, name
        assert "frame-ancestors 'none'" in policy, name
        assert "unsafe" not in policy, name
        assert "Access-Control-Allow-Origin" not in response.headers, name
        if response.status_code == 303:
            assert response.headers["Referrer-Policy"] == "no-referrer", name
            continue
        assert response.headers["Referrer-Policy"] == "same-origin", name
        assert response.headers["X-Frame-Options"] == "DENY", name
        assert "base-uri 'none'" in policy, name
        if name.partition(" ")[2] not in {"/oauth/authorize", "/oauth/logout"}:
            assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin", name
            assert "form-action 'self'" in policy, name
        seen += 1
    assert seen >= 10


def test_over_tls_every_page_asks_for_tls_from_now_on(realm: Realm) -> None:
    """ASVS 3.4.1."""
    api = Api(dataclasses.replace(realm, issuer="https://auth.example"))
    for name, response in visit_all(Pages(api), api.app):
        assert response.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains", name


def test_no_page_may_be_read_by_another_origin(api: Api, pages: Pages) -> None:
    """ASVS 3.4.2."""
    for path, method in sorted(list_pages(api.app)):
        if method == "GET":
            response = pages.get(path, Origin="https://evil.example")
            assert not [name for name, _ in response.headers if name.startswith("Access-Control-")], path


@pytest.mark.parametrize("path", FILES)
def test_files_of_the_pages_are_what_they_say(pages: Pages, path: str) -> None:
    response = pages.get(path)
    assert response.content_type == FILES[path]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert pages.get(path, **{"If-None-Match": response.headers["ETag"]}).status_code == 304


def test_a_picture_that_is_opened_by_itself_runs_nothing(pages: Pages) -> None:
    """An SVG is a document."""
    policy = pages.get("/pages/logo").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy


@pytest.mark.parametrize("path", SCRIPTS)
def test_a_script_is_a_file_of_ours(pages: Pages, path: str) -> None:
    """RFC 9700 §4.16: no inline script, so that none that got into a page runs."""
    response = pages.get(path)
    assert response.content_type == "text/javascript; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_scripts_may_run_only_on_the_pages_that_have_one(pages: Pages, api: Api) -> None:
    """OAuth 2.0 Form Post Response Mode, and the pages where a password is typed."""
    sources = {path.name: path.read_text() for path in TEMPLATES.glob("*.html") if not path.name.startswith("_")}
    scripted = {name for name, source in sources.items() if "<script" in source or "password_script()" in source}
    assert scripted == SCRIPTED
    assert scripted == {name for name, source in sources.items() if "{{ password(" in source} | {"form_post.html"}
    for path in ("/forgot", "/logout", "/nothing"):
        assert "script-src" not in pages.get(path, Accept="text/html").headers["Content-Security-Policy"]
    with api.app.test_request_context("/oauth/authorize"):
        response = answer_page("form_post.html", action="https://app.example/cb", fields={})
    for answer in (response, pages.get("/login")):
        assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/signup", "/forgot"])
def test_a_page_that_carries_a_request_stays_in_touch_with_the_window_that_opened_it(pages: Pages, path: str) -> None:
    """An application may run its sign-in in a pop-up and wait for the answer; the same pages cut off anybody else."""
    assert "Cross-Origin-Opener-Policy" not in pages.get(f"{path}?request=x").headers
    sent = pages.post(path, {"Sec-Fetch-Site": "same-origin"}, request="x", email="")
    assert "Cross-Origin-Opener-Policy" not in sent.headers
    assert pages.get(path).headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert pages.get("/logout?request=x").headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/reset", "/email/confirm", "/email/revert", "/not-me"])
def test_the_address_of_a_page_behind_a_mailed_link_reaches_no_header(pages: Pages, path: str) -> None:
    """It holds the token of the link."""
    assert pages.get(path, "some-token").headers["Referrer-Policy"] == "no-referrer"


# --- languages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "language", "word"),
    [
        ("", "en", "E\N{NON-BREAKING HYPHEN}mail address"),
        ("de-DE,de;q=0.9,en;q=0.8", "de", "E\N{NON-BREAKING HYPHEN}Mail-Adresse"),
        ("fr, de;q=0.5, en;q=0.4", "de", "E\N{NON-BREAKING HYPHEN}Mail-Adresse"),
        ("de;q=0, en", "en", "E\N{NON-BREAKING HYPHEN}mail address"),
        ("fr", "en", "E\N{NON-BREAKING HYPHEN}mail address"),
    ],
)
def test_a_page_is_in_the_language_of_the_browser(pages: Pages, header: str, language: str, word: str) -> None:
    """WCAG 2.2, 3.1.1."""
    response = pages.get("/forgot", **{"Accept-Language": header})
    assert response.headers["Content-Language"] == language
    assert "Accept-Language" in response.headers["Vary"]
    assert f'<html lang="{language}">' in response.text
    assert word in response.text


def test_sentences_that_come_from_code_are_translated_too(pages: Pages) -> None:
    german = {"Accept-Language": "de"}
    token = Form(pages.get("/signup", **german).text).values["csrf_token"]
    typed = {"email": "no address", "password": "short", "csrf_token": token}
    response = pages.post_bare("/signup", {**german, "Sec-Fetch-Site": "same-origin"}, **typed)
    assert response.status_code == 422
    assert "Das ist keine E\N{NON-BREAKING HYPHEN}Mail-Adresse." in response.text
    assert "Ein Passwort braucht mindestens 10 Zeichen." in response.text
    dead = pages.get("/reset", "x", **german)
    assert "Dieser Link gilt nicht mehr" in dead.text
