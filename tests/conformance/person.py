"""The person at the browser: opens what a test module asks for, signs in, allows, signs out, and takes screenshots."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Page, Route

from tests.conformance.suite import Errand

_MOST_PAGES: Final = 8
_SIGN_OUT: Final = '[name="decision"][value="sign_out"]'
_RECEIVED: Final = "#submission_complete"
"""What the suite's page at the redirect URI shows when it has passed on what came after the `#`."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of the server: its heading, and a screenshot, as PNG."""

    heading: str
    screenshot: bytes


class Person:
    """Somebody with an account at `issuer`, and a browser with nothing of an earlier test module in it."""

    def __init__(self, context: BrowserContext, issuer: str, email: str, password: str, *, allows: bool) -> None:
        """Open a window. `allows` is whether they consent to what a client asks for."""
        self._page: Page = context.new_page()
        self._issuer = issuer
        self._email = email
        self._password = password
        self._answers = f'[name="decision"][value="{"allow" if allows else "deny"}"], {_SIGN_OUT}'

    def run(self, errand: Errand) -> list[Shown]:
        """Open a URL and answer what the server's pages ask; return these pages, in their order."""
        self._open(errand)
        pages: list[Shown] = []
        for _ in range(_MOST_PAGES):
            if not self._page.url.startswith(f"{self._issuer}/"):
                self._wait_for_suite()
                break
            pages.append(Shown(self._page.locator("h1").first.inner_text(), self._page.screenshot()))
            if not self._answer():
                break
        return pages

    def _open(self, errand: Errand) -> None:
        if errand.method == "GET":
            self._page.goto(errand.url)
            return
        address, _, query = errand.url.partition("?")
        send = """([address, query]) => {
          const form = document.createElement('form');
          form.method = 'post'; form.action = address;
          for (const [name, value] of new URLSearchParams(query)) {
            const field = document.createElement('input');
            field.name = name; field.value = value; form.append(field);
          }
          document.body.append(form); form.submit();
        }"""
        with self._page.expect_navigation():
            self._page.evaluate(send, [address, query])

    def _answer(self) -> bool:
        """Do what the page asks for; False if it asks for nothing."""
        page = self._page
        if page.locator('[name="password"]').count():
            if page.locator('[name="email"]:visible').count():
                page.fill('[name="email"]', self._email)
            page.fill('[name="password"]', self._password)
            button = page.locator('form:has([name="password"]) button[type="submit"]')
        else:
            button = page.locator(self._answers)
        if not button.count():
            return False
        with page.expect_navigation():
            button.first.click()
        return True

    def _wait_for_suite(self) -> None:
        if "/callback" in self._page.url:
            self._page.wait_for_selector(_RECEIVED, state="attached")


@contextmanager
def person(browser: Browser, issuer: str, email: str, password: str, *, allows: bool) -> Iterator[Person]:
    """A person for one test module."""
    context = browser.new_context(ignore_https_errors=True, viewport={"width": 800, "height": 700}, locale="en")
    context.route("**/*", _stay_here)
    try:
        yield Person(context, issuer, email, password, allows=allows)
    finally:
        context.close()


def _stay_here(route: Route) -> None:
    """Load nothing from elsewhere: the suite's pages bring fonts and styles of others, for which a test would wait."""
    if route.request.url.startswith("https://localhost:"):
        route.continue_()
    else:
        route.abort()
