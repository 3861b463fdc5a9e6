"""The example of a single-page application: `examples/spa` on oidc-client-ts, in a real browser, before two nodes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from authserver.storage.schema import RefreshTokenFamily
from tests.support.people.device import Device, register
from tests.support.people.refreshing import age, end_rest
from tests.support.wire.loopback import running_server
from tests.support.wire.resource_server import guarding
from tests.support.wire.slow_line import SlowLine
from tests.support.world.databases import SqliteDatabases, opened
from tests.support.world.processes import end, free_port, wait_until
from tests.support.world.realm import PASSWORD
from tests.support.world.server import Installation, Server, install, serving
from tests.support.world.time_limit import time_limit

NAME: Final = "Ada Lovelace"
NEW_PASSWORD: Final = "another horse, another battery"
DRAFT: Final = "Dear Charles,"
SLEEP: Final = timedelta(hours=5)
ROUNDS: Final = 5


@dataclass(frozen=True)
class Site:
    """The application and the server that signs its users in."""

    url: str
    server: Server
    line: SlowLine

    def end_rest(self) -> None:
        """Let so much time pass that the next refresh is an exchange."""
        with opened(self.server.installation.database_url) as database:
            end_rest(database)

    def sleep(self) -> None:
        """Let hours pass."""
        with opened(self.server.installation.database_url) as database:
            age(database, SLEEP)

    def generations(self, email: str) -> list[int]:
        """How often each refresh token of the user was exchanged, and one."""
        with opened(self.server.installation.database_url) as database, database.read() as tx:
            found = select(RefreshTokenFamily.generation, RefreshTokenFamily.user_id).order_by(
                RefreshTokenFamily.created_at
            )
            rows = tx.execute(found).all()
        with Device(self.server, email) as device:
            user_id = device.ask_account().json["user_id"]
        return [generation for generation, whose in rows if whose == user_id]


@contextmanager
def application(installation: Installation, resource: int) -> Iterator[str]:
    """Run the example by its one command, and return its address."""
    port, log = free_port(), installation.folder / "spa.log"
    words = ["--port", str(port), "--issuer", installation.settings["ISSUER"]]
    words += ["--resource", f"http://127.0.0.1:{resource}"]
    environment = {**installation.environment, "AUTHSERVER_CONFIG": ""}
    with log.open("wb") as output:
        command = [sys.executable, "-m", "examples.run_spa", *words]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        wait_until(lambda: b"127.0.0.1" in log.read_bytes() or process.poll() is not None, "the start of Vite")
        assert process.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}/"
    finally:
        end(process)


@pytest.fixture(scope="module")
def site(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("spa")
    with running_server() as front, ExitStack() as stack, time_limit(200):
        one = install(folder, sqlite_databases.migrated(), ISSUER=front.url)
        two = replace(one, port=free_port())
        front.answer = line = SlowLine([one.port, two.port], "", (0, 0), seed=1)
        server = stack.enter_context(serving(one, workers=1))
        stack.enter_context(serving(two, workers=1))
        made = one.type("clients", "create", "API", "--resource-server", "--json")
        known = json.loads(made.stdout)
        credentials = {"CLIENT_ID": known["client_id"], "CLIENT_SECRET": known["client_secret"]}
        resource = stack.enter_context(guarding(one, **credentials))
        yield Site(stack.enter_context(application(one, resource.port)), server, line)


@pytest.fixture
def email(site: Site) -> str:
    return register(site.server, name=NAME)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    context.set_default_timeout(15_000)
    yield context
    context.close()


def open_tab(site: Site, context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto(site.url)
    expect(page.get_by_role("status")).not_to_have_text("One moment…", timeout=20_000)
    return page


def sign_in(site: Site, context: BrowserContext, email: str) -> Page:
    """A tab of the application, after the way over the server's pages, with a draft."""
    page = open_tab(site, context)
    page.get_by_role("button", name="Sign in").click()
    page.locator("[name=email]").fill(email)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.locator("[name=decision][value=allow]").click()
    expect(page.get_by_role("status")).to_have_text(f"Signed in as {NAME}.")
    page.locator("#draft").fill(DRAFT)
    return page


def press(page: Page, name: str) -> None:
    page.locator("#answer").evaluate("element => { element.textContent = ''; }")
    page.get_by_role("button", name=name).click()


def answer(page: Page, text: str) -> None:
    expect(page.locator("#answer")).to_contain_text(text)


def test_a_person_signs_in_calls_the_api_and_signs_out(site: Site, context: BrowserContext, email: str) -> None:
    page = sign_in(site, context, email)
    press(page, "Call the API")
    answer(page, '"token_version": 1')
    page.reload()
    expect(page.get_by_role("status")).to_have_text(f"Signed in as {NAME}.")
    other = open_tab(site, context)
    press(page, "Sign out")
    expect(page.get_by_role("status")).to_have_text("Signed out.")
    assert page.url == site.url
    expect(other.get_by_role("status")).to_have_text("Signed out.")
    assert page.evaluate("localStorage.getItem('draft')") is None
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("[name=password]")).to_be_visible()


def test_two_tabs_that_renew_at_once_at_two_nodes_stay_signed_in(
    site: Site, context: BrowserContext, email: str
) -> None:
    tabs = [sign_in(site, context, email), open_tab(site, context)]
    for _ in range(ROUNDS):
        site.end_rest()
        for tab in tabs:
            press(tab, "Renew the tokens")
        for tab in tabs:
            answer(tab, "New tokens")
    for tab in tabs:
        press(tab, "Call the API")
        answer(tab, "token_version")
    assert site.generations(email)[0] == 1 + ROUNDS, "one exchange a round"


def test_a_lost_answer_costs_a_second_try_and_nothing_else(site: Site, context: BrowserContext, email: str) -> None:
    page = sign_in(site, context, email)
    for _ in range(ROUNDS):
        site.line.loses_answers = True
        press(page, "Renew the tokens")
        answer(page, "That did not work")
        site.line.loses_answers = False
        press(page, "Renew the tokens")
        answer(page, "New tokens")
        site.end_rest()


def test_a_laptop_that_slept_in_mid_refresh_wakes_signed_in(site: Site, context: BrowserContext, email: str) -> None:
    """The exchange was made and its answer is lost in both tabs; they wake hours later with the old token."""
    tabs = [sign_in(site, context, email), open_tab(site, context)]
    site.end_rest()
    site.line.loses_answers = True
    for tab in tabs:
        press(tab, "Renew the tokens")
        answer(tab, "That did not work")
    site.line.loses_answers = False
    site.sleep()
    for tab in tabs:
        press(tab, "Renew the tokens")
        answer(tab, "New tokens")
        press(tab, "Call the API")
        answer(tab, "token_version")
        expect(tab.get_by_role("status")).to_have_text(f"Signed in as {NAME}.")


def test_a_password_change_elsewhere_ends_it_and_leaves_nothing_behind(
    site: Site, context: BrowserContext, email: str
) -> None:
    page = sign_in(site, context, email)
    change_elsewhere(site, email)

    def is_noticed() -> bool:
        press(page, "Call the API")
        page.wait_for_timeout(200)
        return page.get_by_role("status").inner_text() == "You were signed out."

    wait_until(is_noticed, "the end of the session at the resource server")
    assert page.evaluate("localStorage.getItem('draft')") is None


def change_elsewhere(site: Site, email: str) -> None:
    with Device(site.server, email) as device:
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        changed = device.post_json("/api/account/password", bearer=device.access_token, **body)
        assert changed.status == 200, changed


def test_a_password_change_in_this_browser_keeps_the_draft(site: Site, context: BrowserContext, email: str) -> None:
    """The session is renewed at the page: the application's tokens end softly, and it comes back without a password."""
    page = sign_in(site, context, email)
    account = context.new_page()
    account.goto(page.get_by_role("link", name="Change your password").get_attribute("href") or "")
    account.locator("[name=current_password]").fill(PASSWORD)
    account.locator("[name=new_password]").fill(NEW_PASSWORD)
    account.locator("[name=new_password]").press("Enter")
    expect(account.get_by_role("status").first).to_be_visible()
    press(page, "Renew the tokens")
    expect(page.get_by_role("status")).to_have_text("Your session has ended. Your draft is kept: sign in again.")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("status")).to_have_text(f"Signed in as {NAME}.")
    expect(page.locator("#draft")).to_have_value(DRAFT)
