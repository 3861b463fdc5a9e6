"""Whose pages these are: name, logo, colour, links, and templates of an operator's own."""

from pathlib import Path
from typing import NoReturn

import pytest

from authserver.branding.brand import Brand, Logo, derive_accent
from authserver.mail.compose import UnusableTemplateError
from authserver.realm import Realm
from authserver.web.application import DoorSettings, create_application
from authserver.web.pages import blueprint, signup
from authserver.web.pages.rendering import load_templates
from tests.support.people.api import GENEROUS
from tests.support.people.pages import Pages, read_page

PNG = b"\x89PNG\r\n\x1a\n"


def look(realm: Realm, path: str, brand: Brand | None = None, templates: Path | None = None) -> tuple[str, str]:
    """The text of a page of an installation that looks so, and its content type."""
    settings = DoorSettings(GENEROUS, "memory", brand=brand or Brand(), page_templates=templates)
    response = create_application(realm, settings).test_client().get(path)
    assert response.status_code == 200
    return response.get_data().decode(errors="replace"), str(response.content_type)


def test_the_name_is_in_the_title_and_on_the_page(realm: Realm) -> None:
    page, _ = look(realm, "/forgot", Brand(product_name='Müller & "Söhne" <b>'))
    assert page.count("Müller &amp; &#34;Söhne&#34; &lt;b&gt;") == 2
    assert "authserver" not in page.replace("/authserver", "")


def test_the_colour_is_in_the_style_sheet(realm: Realm) -> None:
    accent = derive_accent("#0f5f5c")
    style, _ = look(realm, "/pages.css", Brand(accent=accent))
    assert f"--accent: {accent.light};" in style
    assert f"--accent: {accent.dark};" in style
    assert f"--button: {accent.dark_button};" in style
    assert "{{" not in style


def test_a_logo_takes_the_place_of_name_and_mark_and_is_read_out(realm: Realm) -> None:
    """RFC 9700 §4.2.4, WCAG 2.2, 1.1.1: from this host, under the name."""
    brand = Brand(product_name="Example", logo=Logo("image/png", PNG))
    page, _ = look(realm, "/forgot", brand)
    assert '<img src="/pages/logo" alt="Example"' in page
    assert "<span>Example</span>" not in page
    assert look(realm, "/pages/logo", brand)[1] == "image/png"


def test_links_are_below_the_page_where_they_are_set(realm: Realm) -> None:
    assert "<footer>" not in look(realm, "/forgot")[0]
    page, _ = look(realm, "/forgot", Brand(privacy_url="https://example.org/privacy?a=1&b=2"))
    assert '<a href="https://example.org/privacy?a=1&amp;b=2">Privacy</a>' in page
    assert page.count("<a href=") == 2  # and back to sign-in


def test_a_template_of_the_operator_takes_the_place_of_ours(realm: Realm, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        "<title>{% block title %}{% endblock %}</title>{{ brand.product_name }} of ours"
    )
    page, _ = look(realm, "/forgot", templates=tmp_path)
    assert page == "<title>Forgot password?</title>authserver of ours"


def test_a_folder_that_is_not_there_changes_nothing(realm: Realm, tmp_path: Path) -> None:
    assert look(realm, "/pages.css", templates=tmp_path / "none") == look(realm, "/pages.css")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("sign-in.html", "x", "there is no page template sign-in.html to replace"),
        ("forgot.html", "{{ csrf_field() }}{% if %}", "forgot.html cannot be used: .* \\(line 1\\)"),
        ("forgot.html", "{{ csrf_field() }}{{ password }}", "forgot.html cannot be used: there is no password in it"),
        ("forgot.html", "<form></form>", r"forgot.html cannot be used: its form needs \{\{ csrf_field\(\) \}\}"),
        ("forgot.html", "{{ csrf_field() }}{{ email | encrypt }}", "forgot.html cannot be used: No filter"),
    ],
)
def test_a_template_that_would_fail_people_keeps_the_server_from_starting(
    realm: Realm, tmp_path: Path, name: str, text: str, reason: str
) -> None:
    """In one line that names the file."""
    (tmp_path / name).write_text(text)
    with pytest.raises(UnusableTemplateError, match=reason) as refused:
        look(realm, "/forgot", templates=tmp_path)
    assert "\n" not in str(refused.value)


def test_what_is_no_text_is_no_template(tmp_path: Path) -> None:
    (tmp_path / "forgot.html").write_bytes(b"\xff\xfe")
    with pytest.raises(UnusableTemplateError, match=r"forgot\.html cannot be used: UnicodeDecodeError"):
        load_templates(tmp_path)


def test_a_person_sees_a_page_where_there_is_none(pages: Pages) -> None:
    """A program gets a line of text."""
    response = pages.get("/nothing", None, Accept="text/html,*/*;q=0.8")
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "There is no such page" in read_page(response)
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert pages.get("/nothing", None, Accept="*/*").mimetype == "text/plain"


def test_a_person_sees_a_page_where_everything_fails(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """ASVS 16.5.1, 16.5.4: nothing of the reason; and still an answer where pages cannot be made."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("the secret reason")

    monkeypatch.setattr(signup, "_answer_form", fail)
    response = pages.get("/signup", None, Accept="text/html")
    assert (response.status_code, response.mimetype) == (500, "text/html")
    assert "Something went wrong here" in read_page(response)
    assert "secret" not in response.text
    monkeypatch.setattr(blueprint, "render", fail)
    response = pages.get("/signup", None, Accept="text/html")
    assert (response.status_code, response.mimetype) == (500, "text/plain")
