"""One's own account in a real browser: cookies, forms and downloads are for it to judge, and no script runs."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from authserver.assembly import SYSTEM_ENTROPY
from authserver.clock import SystemClock
from authserver.web.application import DoorSettings, create_application
from tests.browser.watching import looking
from tests.support.wire.served import served
from tests.support.world.databases import SqliteDatabases
from tests.support.world.processes import free_port
from tests.support.world.realm import EMAIL, PASSWORD, add_user, build_realm

NEW_PASSWORD = "a stapler for every horse"


@pytest.fixture
def url(sqlite_databases: SqliteDatabases) -> Iterator[str]:
    """An installation with one user."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    realm = build_realm(sqlite_databases.migrated(), SystemClock(), SYSTEM_ENTROPY, issuer=issuer)
    add_user(realm)
    with served(create_application(realm, DoorSettings("1000 per minute", "memory")), port) as url:
        yield url
    realm.database.dispose()


def sign_in(page: Page, url: str, password: str = PASSWORD) -> None:
    """From a page of the account that nobody is signed in at."""
    page.goto(f"{url}/account/password")
    page.get_by_label("E\N{NON-BREAKING HYPHEN}mail address").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    assert page.url == f"{url}/account/password"


def read(page: Page) -> str:
    return " ".join(page.inner_text("main").split())


@pytest.mark.parametrize("width", [390, 1280])
def test_a_password_change_throws_the_other_browser_out_and_says_so(browser: Browser, url: str, width: int) -> None:
    """A real cookie is renewed by the answer to a form; nothing of it needs a script."""
    with looking(browser, url, width=width, script=False) as desk, looking(browser, url, script=False) as phone:
        for window in (phone, desk):
            sign_in(window.page, url)
        form = desk.page
        assert form.get_by_label("Sign out my other devices").is_checked()
        form.get_by_label("Current password").fill(PASSWORD)
        form.get_by_label("New password").fill(NEW_PASSWORD)
        form.get_by_role("button", name="Change the password").click()
        assert "1 device was signed out. This one stays signed in." in read(form)
        phone.page.goto(f"{url}/account")
        assert phone.page.url == f"{url}/login?next=%2Faccount"
        form.get_by_role("link", name="See your devices").click()
        assert "Chrome on Linux this device" in read(form)
        assert desk.complaints == phone.complaints == []


def test_a_person_walks_through_his_account_by_keyboard_and_signs_out(browser: Browser, url: str) -> None:
    """WCAG 2.2, 2.1.1 and 2.4.1: the first stop leads past the navigation; each link leads where it says."""
    with looking(browser, url, width=1280, script=False) as window:
        page = window.page
        sign_in(page, url)
        for name in ("Profile", "Devices", "Apps", "Activity"):
            page.get_by_role("navigation").get_by_role("link", name=name).click()
            assert page.get_by_role("heading", level=1).inner_text() == name
            assert page.locator("nav [aria-current=page]").inner_text() == name
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        assert skip.bounding_box()["x"] >= 0  # type: ignore[index]  # it is there
        page.keyboard.press("Enter")
        assert page.url.endswith("#content")
        page.get_by_role("button", name="Sign out", exact=True).click()
        assert "You are signed out" in read(page)
        page.goto(f"{url}/account/apps")
        assert page.url == f"{url}/login?next=%2Faccount%2Fapps"
        assert window.complaints == []


def test_a_person_saves_his_profile_and_takes_his_data_along(browser: Browser, url: str) -> None:
    with looking(browser, url, script=False) as window:
        page = window.page
        sign_in(page, url)
        page.goto(f"{url}/account")
        page.get_by_label("Phone number").fill("+442079460000")
        page.get_by_label("Postal address").fill("12 St James's Square\nLondon")
        page.get_by_role("button", name="Save").click()
        assert "Your profile is saved." in read(page)
        with page.expect_download() as downloading:
            page.get_by_role("button", name="Export my data").click()
        assert downloading.value.suggested_filename == "account.json"
        with downloading.value.path().open(encoding="utf-8") as file:
            account = json.load(file)["account"]
        assert account["address"] == "12 St James's Square\nLondon"
        page.get_by_role("link", name="Delete my account").click()
        page.get_by_label("Current password").fill(PASSWORD)
        page.get_by_role("button", name="Delete my account").click()
        assert "Your account was deleted" in read(page)
