"""From an application to its answer in a real browser: cookies, redirects and `form-action` are for it to judge."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.watching import Window, looking
from tests.support.people.authorizing import CHALLENGE, STATE
from tests.support.wire.loopback import LoopbackServer, Reply, running_server
from tests.support.world.databases import SqliteDatabases
from tests.support.world.server import Installation, install, serving

EMAIL = "ada@example.test"
PASSWORD = "correct horse battery staple"
_SITE = b"<!doctype html><title>Photo Book</title><link rel=icon href=data:,>"
SIGHTS = ((390, False), (1280, True))


@dataclass(frozen=True)
class PhotoBook:
    """An application of somebody else, on a site of its own."""

    installation: Installation
    client_id: str
    callback: str
    site: LoopbackServer

    def link(self, **more: str) -> str:
        """What it sends people to."""
        asked = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": self.callback,
            "scope": "openid profile email offline_access",
            "state": STATE,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return f"{self.installation.url}/oauth/authorize?{urlencode(asked | more)}"

    def sign_out_link(self) -> str:
        """What it sends people to when they leave."""
        asked = {"client_id": self.client_id, "post_logout_redirect_uri": self.callback}
        return f"{self.installation.url}/oauth/logout?{urlencode(asked)}"

    @contextmanager
    def leading_to(self, elsewhere: str) -> Iterator[None]:
        """Its callback sends everybody on, as one does that hands the answer to its front end or to an app."""
        before = self.site.answer
        self.site.answer = lambda _: Reply(status=303, headers={"Location": elsewhere})
        yield
        self.site.answer = before


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, sqlite_databases: SqliteDatabases) -> Iterator[PhotoBook]:
    """The application, registered at a server that runs, which knows one user."""
    installation = install(tmp_path_factory.mktemp("signing-in"), sqlite_databases.empty(), PRODUCT_NAME="Example")
    created = installation.run("users", "create", EMAIL, "--name", "Ada", "--password-stdin", stdin=PASSWORD)
    assert created.returncode == 0, created.stderr
    scopes = [part for scope in ("openid", "profile", "email", "offline_access") for part in ("--scope", scope)]
    with serving(installation, workers=1), running_server() as site:
        site.answer = lambda _: Reply(_SITE, headers={"Content-Type": "text/html"})
        callback = f"{site.url}/callback"
        registered = installation.type(
            "clients",
            "create",
            "Photo Book",
            "--public",
            "--redirect-uri",
            callback,
            "--post-logout-redirect-uri",
            callback,
            *scopes,
            "--json",
        )
        assert registered.exit_code == 0, registered.output
        yield PhotoBook(installation, json.loads(registered.stdout)["client_id"], callback, site)


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("E\N{NON-BREAKING HYPHEN}mail address").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def read_answer(page: Page, app: PhotoBook) -> dict[str, str]:
    page.wait_for_url(f"{app.callback}?*")
    return {name: value for name, (value,) in parse_qs(urlsplit(page.url).query).items()}


def check(window: Window) -> None:
    """The page is for everybody, from near and far."""
    for width, dark in SIGHTS:
        window.look(width=width, dark=dark)
        assert window.list_violations() == []
        assert window.find_overhang() == 0


def test_a_person_signs_in_allows_and_comes_back(browser: Browser, app: PhotoBook) -> None:
    """Without JavaScript, from the application over sign-in and consent back to it, `state` whole."""
    with looking(browser, app.installation.url, script=False) as window:
        page = window.page
        page.goto(app.link())
        assert "Photo Book" in page.inner_text("main")
        sign_in(page, "not the password")
        assert (
            page.get_by_role("alert").inner_text()
            == "The e\N{NON-BREAKING HYPHEN}mail address or the password is wrong."
        )
        assert page.get_by_label("E\N{NON-BREAKING HYPHEN}mail address").input_value() == EMAIL
        assert page.get_by_label("Password").input_value() == ""
        sign_in(page)
        said = page.inner_text("main")
        assert "Let Photo Book use your account?" in said
        assert all(
            word in said for word in (EMAIL, "127.0.0.1", "See your e\N{NON-BREAKING HYPHEN}mail address", "90 days")
        )
        page.get_by_role("button", name="Allow", exact=True).click()
        answer = read_answer(page, app)
        assert (answer["state"], answer["iss"]) == (STATE, app.installation.url)
        assert answer["code"]
        # Signed in and allowed: the next time nothing is asked.
        page.goto(app.link())
        assert read_answer(page, app)["code"]


def test_who_does_not_allow_comes_back_without_a_code(browser: Browser, app: PhotoBook) -> None:
    with looking(browser, app.installation.url, script=False) as window:
        page = window.page
        page.goto(app.link(prompt="consent"))
        sign_in(page)
        page.get_by_role("button", name="Do not allow").click()
        answer = read_answer(page, app)
        assert (answer["error"], answer["state"]) == ("access_denied", STATE)
        assert "code" not in answer


def test_the_pages_on_the_way_are_for_everybody(browser: Browser, app: PhotoBook) -> None:
    """axe-core on the real ones: sign-in, consent, the choice of an account, the proof that it is still the same."""
    with looking(browser, app.installation.url) as window:
        page = window.page
        window.bring_axe()
        page.goto(app.link(prompt="consent", ui_locales="de"))
        assert page.inner_text("h1") == "Anmelden"
        check(window)
        page.goto(app.link(prompt="consent"))
        check(window)
        sign_in(page)
        check(window)
        assert window.complaints == []
        page.goto(app.link(prompt="select_account"))
        check(window)
        page.goto(app.link(prompt="login"))
        check(window)
        assert window.complaints == []


def test_an_account_is_chosen_with_one_button(browser: Browser, app: PhotoBook) -> None:
    with looking(browser, app.installation.url, script=False) as window:
        page = window.page
        page.goto(app.link(prompt="consent"))
        sign_in(page)
        page.get_by_role("button", name="Allow", exact=True).click()
        read_answer(page, app)
        page.goto(app.link(prompt="select_account"))
        page.get_by_role("button", name=f"Continue as {EMAIL}").click()
        assert read_answer(page, app)["code"]


def test_a_request_goes_on_in_the_browser_in_which_it_began(browser: Browser, app: PhotoBook) -> None:
    """Reloaded, beside other tabs, after a step back; an address from another browser asks for the password again."""
    url = app.installation.url
    with looking(browser, url, script=False) as window, looking(browser, url, script=False) as another:
        page, tab = window.page, window.page.context.new_page()
        another.page.goto(app.link(prompt="login"))
        page.goto(app.link(prompt="login consent"))
        tab.goto(app.link(prompt="login"))
        tab.reload()
        page.reload()
        sign_in(page)
        page.wait_for_url("**/consent?*")
        page.reload()
        # The sign-in was for the request of the first tab.
        tab.reload()
        assert tab.get_by_label("Password").is_visible()
        page.get_by_role("button", name="Allow", exact=True).click()
        assert read_answer(page, app)["code"]
        page.go_back()
        page.wait_for_url("**/consent?*")
        page.goto(another.page.url)
        assert page.url != another.page.url
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        assert read_answer(page, app)["code"]


def test_the_answer_comes_by_form_where_it_was_asked_for(browser: Browser, app: PhotoBook) -> None:
    """OAuth 2.0 Form Post Response Mode, with and without scripts."""
    for script in (True, False):
        with looking(browser, app.installation.url, script=script) as window:
            page = window.page
            page.goto(app.link(response_mode="form_post", prompt="consent"))
            sign_in(page)
            with page.expect_request(app.callback) as sent:
                page.get_by_role("button", name="Allow", exact=True).click()
                if not script:
                    page.get_by_role("button", name="Continue").click()
            posted = parse_qs(sent.value.post_data or "")
            assert (sent.value.method, posted["state"], posted["iss"]) == ("POST", [STATE], [app.installation.url])
            assert posted["code"]


def test_an_unknown_application_sends_nobody_anywhere(browser: Browser, app: PhotoBook) -> None:
    with looking(browser, app.installation.url) as window:
        window.bring_axe()
        window.page.goto(app.link(redirect_uri="https://evil.example/callback"))
        assert window.page.url.startswith(app.installation.url)
        assert window.page.inner_text("h1") == "This link is not valid"
        check(window)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_a_callback_may_lead_on_to_wherever_the_application_lives(
    browser: Browser, app: PhotoBook, host: str, mode: str
) -> None:
    """Chromium applies `form-action` to each redirect that follows a form, and keeps silent about those it stops."""
    with running_server() as home, looking(browser, app.installation.url) as window:
        home.answer = lambda _: Reply(_SITE, headers={"Content-Type": "text/html"})
        elsewhere = home.url.replace("127.0.0.1", host) + "/home"
        page = window.page
        with app.leading_to(elsewhere):
            page.goto(app.link(prompt="consent", response_mode=mode))
            sign_in(page)
            page.get_by_role("button", name="Allow", exact=True).click()
            page.wait_for_url(elsewhere)
            page.goto(app.sign_out_link())
            page.get_by_role("button", name="Sign out").click()
            page.wait_for_url(elsewhere)
            # Allowed before: now the form of the sign-in itself is followed to the end.
            page.goto(app.link(response_mode=mode))
            sign_in(page)
            page.wait_for_url(elsewhere)


def test_a_callback_may_lead_on_to_an_app_of_the_phone(browser: Browser, app: PhotoBook) -> None:
    """A private-use scheme (RFC 8252 §7.1); nothing here opens it, so the attempt is what is seen."""
    with looking(browser, app.installation.url) as window, app.leading_to("com.example.photobook:/done"):
        page = window.page
        page.goto(app.link(prompt="consent"))
        sign_in(page)
        with page.expect_event("requestfailed", lambda request: request.url.startswith("com.example.photobook:")):
            page.get_by_role("button", name="Allow", exact=True).click()
