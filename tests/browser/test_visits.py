"""People at the real server: without scripts, by keyboard, with the links of their mails."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.watching import looking
from tests.support.world.databases import SqliteDatabases
from tests.support.world.processes import wait_until
from tests.support.world.server import Installation, install, serving

PASSWORD = "correct horse battery staple"
NEW_PASSWORD = "third time lucky"
ADDRESS = "E\N{NON-BREAKING HYPHEN}mail address"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, sqlite_databases: SqliteDatabases) -> Iterator[Installation]:
    """A server that runs; addresses have to be confirmed, and mails are files."""
    installation = install(
        tmp_path_factory.mktemp("visited"),
        sqlite_databases.empty(),
        REQUIRE_VERIFIED_EMAIL="true",
        PRODUCT_NAME="Example",
        ACCENT_COLOUR="#0f5f5c",
    )
    with serving(installation, workers=1):
        yield installation


def read_link(installation: Installation, email: str, path: str) -> str:
    """The newest link to `path` in a mail to `email`, when it has come."""

    def find() -> list[str]:
        mails = sorted((installation.folder / "var" / "mail").glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        texts = [mail.read_text() for mail in mails]
        return [link for text in texts if f"To: {email}" in text for link in _find_links(text, installation.url, path)]

    wait_until(lambda: bool(find()), f"a mail to {email}")
    return find()[-1]


def _find_links(mail: str, url: str, path: str) -> list[str]:
    return re.findall(rf"{re.escape(url + path)}\?token=[\w-]+", mail)


def sign_up(page: Page, installation: Installation, email: str) -> None:
    page.goto(f"{installation.url}/signup")
    page.get_by_label(ADDRESS).fill(email)
    page.get_by_label("Name (optional)").fill("Grace")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()


def test_a_person_signs_up_confirms_forgets_and_resets(browser: Browser, installation: Installation) -> None:
    """Without JavaScript: from nothing to a new password, on pages and with mails alone."""
    email = "grace@example.test"
    with looking(browser, installation.url, script=False) as window:
        page = window.page
        sign_up(page, installation, email)
        assert "Check your inbox" in page.inner_text("h1")
        page.goto(read_link(installation, email, "/email/confirm"))
        page.get_by_role("button", name="Confirm").click()
        assert page.inner_text("h1").endswith("mail address is confirmed")
        page.goto(f"{installation.url}/forgot")
        page.get_by_label(ADDRESS).fill(email)
        page.get_by_role("button").click()
        link = read_link(installation, email, "/reset")
        page.goto(link)
        page.get_by_label("New password").fill("short")
        page.get_by_role("button").click()
        assert "at least 10 characters" in page.inner_text("main")
        page.get_by_label("New password").fill(NEW_PASSWORD)
        page.get_by_role("button").click()
        assert page.inner_text("h1") == "Your password is changed"
        assert "token" not in page.url
        page.goto(link)
        assert page.inner_text("h1") == "This link no longer works"
        # What is refused is an error for the console, and the only one.
        assert all("422" in complaint or "400" in complaint for complaint in window.complaints)


def test_a_form_is_filled_and_sent_by_keyboard_alone(browser: Browser, installation: Installation) -> None:
    """WCAG 2.2, 2.1.1, 2.4.3, 2.4.7: the focus begins at the first field, goes in reading order, and can be seen."""
    with looking(browser, installation.url) as window:
        page = window.page
        page.goto(f"{installation.url}/signup")
        for name in ("email", "name", "password"):
            assert page.evaluate("document.activeElement.name") == name
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
            page.keyboard.type({"email": "keys@example.test", "name": "Keys", "password": PASSWORD}[name])
            page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Show"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Create the account"
        page.keyboard.press("Enter")
        page.wait_for_function("document.title.startsWith('Check your inbox')")
        assert window.complaints == []


def test_an_error_leads_to_its_field(browser: Browser, installation: Installation) -> None:
    """WCAG 2.2, 3.3.1: the summary is announced, and its links put the cursor where something is to be done."""
    with looking(browser, installation.url) as window:
        page = window.page
        page.goto(f"{installation.url}/signup")
        page.get_by_label(ADDRESS).fill("grace@example.test")
        page.get_by_label("Password").fill("short")
        page.get_by_role("button", name="Create the account").click()
        page.get_by_role("alert").get_by_role("link").first.click()
        assert page.evaluate("document.activeElement.name") == "password"
        assert page.get_by_label(ADDRESS).input_value() == "grace@example.test"
        assert page.get_by_label("Password").input_value() == ""


def test_a_password_is_pasted_whole(browser: Browser, installation: Installation) -> None:
    """ASVS 6.2.7: 200 characters from the clipboard of a password manager arrive."""
    with looking(browser, installation.url) as window:
        page = window.page
        page.goto(f"{installation.url}/signup")
        field = page.get_by_label("Password")
        field.focus()
        page.keyboard.insert_text("x" * 200)
        assert len(field.input_value()) == 200
        assert field.get_attribute("type") == "password"


def test_a_password_is_shown_while_it_is_typed_and_never_kept_as_text(
    browser: Browser, installation: Installation
) -> None:
    """WCAG 2.2, 3.3.8: who sees what they type makes fewer mistakes. Browsers remember fields of text."""
    with looking(browser, installation.url) as window:
        page = window.page
        page.goto(f"{installation.url}/login")
        field, button = page.get_by_label("Password"), page.get_by_role("button", name="Show")
        button.click()
        assert field.get_attribute("type") == "text"
        page.get_by_role("button", name="Hide").click()
        assert field.get_attribute("type") == "password"
        button.click()
        page.evaluate("document.forms[0].addEventListener('submit', event => event.preventDefault())")
        page.get_by_role("button", name="Sign in").click()
        assert field.get_attribute("type") == "password"
        assert window.complaints == []
    with looking(browser, installation.url, script=False) as window:
        window.page.goto(f"{installation.url}/login")
        assert window.page.get_by_role("button").all_inner_texts() == ["Sign in"]


def test_an_address_breaks_at_no_hyphen(browser: Browser, installation: Installation) -> None:
    """A heading of two lines does not end with "e-"."""
    with looking(browser, installation.url, width=390) as window:
        window.page.goto(f"{installation.url}/signup")
        label = window.page.get_by_text(ADDRESS)
        lines = "label => Math.round(label.offsetHeight / parseFloat(getComputedStyle(label).lineHeight))"
        label.evaluate("label => label.style.cssText = 'width: 0; overflow-wrap: normal'")
        assert label.evaluate(lines) == 2


def test_a_german_reads_german(browser: Browser, installation: Installation) -> None:
    with looking(browser, installation.url, language="de-DE") as window:
        window.bring_axe()
        window.page.goto(f"{installation.url}/signup")
        assert window.page.inner_text("h1") == "Konto anlegen"
        assert window.page.evaluate("document.documentElement.lang") == "de"
        assert window.list_violations() == []


def test_a_form_of_another_site_is_refused_by_what_the_browser_says(
    browser: Browser, installation: Installation, tmp_path: Path
) -> None:
    """ASVS 3.5.1 with the headers that a real browser sends; the other site is `localhost`, ours is 127.0.0.1."""
    foreign = installation.url.replace("127.0.0.1", "localhost") + "/foreign"
    form = f"<form method=post action='{installation.url}/forgot'><input name=email value=a@b.test><button>Go</button>"
    with looking(browser, installation.url) as window:
        window.page.goto(f"{installation.url}/forgot")  # the browser has our cookie
        window.page.route("**/foreign", lambda route: route.fulfill(body=form, content_type="text/html"))
        window.page.goto(foreign)
        window.page.get_by_role("button").click()
        assert window.page.inner_text("h1") == "This form is from another site"


def test_the_cookie_of_the_forms_is_hidden_from_scripts(browser: Browser, installation: Installation) -> None:
    """ASVS 3.3.4, 3.3.2."""
    with looking(browser, installation.url) as window:
        window.page.goto(f"{installation.url}/forgot")
        assert window.page.evaluate("document.cookie") == ""
        (cookie,) = window.page.context.cookies()
        assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("authserver-form", True, "Lax")
