"""Tabs of one real browser share a refresh token and refresh all at once behind a slow line: nobody is logged out."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from authserver.protocol.limits import REST_MARGIN
from authserver.storage.schema import RefreshTokenFamily
from tests.support.people.device import register
from tests.support.wire.loopback import running_server
from tests.support.wire.slow_line import PAGE, SlowLine
from tests.support.world.databases import SqliteDatabases, opened
from tests.support.world.moved_server import let_pass, serve_moved
from tests.support.world.realm import PASSWORD
from tests.support.world.server import ROOT, Installation, Server, install, serving
from tests.support.world.time_limit import time_limit

TABS = 5
CALLS = 2
SECONDS = (0.010, 0.150)
SEED = 20261125
REST = timedelta(seconds=60) + REST_MARGIN
SLEEP = timedelta(hours=5)

ISSUER_AND_CLIENT = 'const ISSUER = "", CLIENT_ID = "first-party";'
BY_COOKIE = """
async function refresh() {
  const body = JSON.stringify({client_id: CLIENT_ID}), headers = {"Content-Type": "application/json"};
  const answer = await fetch("/api/refresh", {method: "POST", headers, body});
  const tokens = await answer.json();
  if (!answer.ok) throw new Error(tokens.code);
  return tokens.access_token;
}
"""
# A tab whose access token has expired. Its calls refresh, at once or one after the other. Chromium gives all calls of
# one moment the same cookie, also those that wait for a connection: only calls in turn bring a newer token past a slow
# one. What comes of a call is the session of its access token, or an error.
CALLS_OF_A_TAB = """
const readSession = (token) => JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sid;
const call = () => refresh().then(readSession, (error) => `${error}`);
const tabs = new BroadcastChannel("tabs"), refreshed = new BroadcastChannel("refreshed");
tabs.onmessage = async ({data: [calls, inTurn]}) => {
  const answers = [];
  for (let number = 0; number < calls; number++) answers.push(inTurn ? await call() : call());
  refreshed.postMessage(await Promise.all(answers));
};
"""
ALL_AT_ONCE = """
([count, ...go]) => new Promise((done) => {
  const answers = [];
  refreshed.onmessage = ({data}) => { if (answers.push(data) === count) done(answers.flat()); };
  new BroadcastChannel("tabs").postMessage(go);
})
"""
SIGN_IN = """
async (members) => {
  const asked = {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(members)};
  const tokens = await (await fetch("/api/login", asked)).json();
  if (tokens.refresh_token) localStorage.setItem("refresh_token", tokens.refresh_token);
  return tokens.sid;
}
"""


def read_documented_refresh() -> str:
    """The example for a page that keeps the refresh token itself, as it stands in the documents."""
    (example,) = re.findall(r"```js\n(.*?)```", (ROOT / "docs" / "browser-apps.md").read_text(), re.DOTALL)
    return str(example)


@dataclass(frozen=True)
class Tabs:
    """The tabs of a browser in which somebody has signed in; one more page tells them when to go."""

    server: Server
    line: SlowLine
    conductor: Page
    sid: str

    def refresh(self, calls: int = CALLS, *, in_turn: bool = False) -> list[str]:
        """What comes of the tabs' calls that begin all at once: the session of each access token, or an error."""
        answers: list[str] = self.conductor.evaluate(ALL_AT_ONCE, [TABS, calls, in_turn])
        return answers

    def read_generation(self) -> int:
        """How often the session's refresh token was exchanged, and one."""
        with opened(self.server.installation.database_url) as database, database.read() as tx:
            generation = select(RefreshTokenFamily.generation).where(RefreshTokenFamily.sid == self.sid)
            return int(tx.execute(generation).scalar_one())


@contextmanager
def signed_in(browser: Browser, installation: Installation, line: SlowLine, **members: str) -> Iterator[Tabs]:
    """Tabs of one browser, and a session that `members` ask for at the sign-in."""
    with serving(installation, workers=1, program=serve_moved) as server:
        context = browser.new_context()
        try:
            conductor, *pages = (context.new_page() for _ in range(TABS + 1))
            for page in (conductor, *pages):
                page.goto(f"{installation.settings['ISSUER']}{PAGE}")
            conductor.evaluate("tabs.close()")
            sid = conductor.evaluate(SIGN_IN, {"email": register(server), "password": PASSWORD, **members})
            yield Tabs(server, line, conductor, sid)
        finally:
            context.close()


@pytest.fixture(params=["cookie", "storage"])
def tabs(
    request: pytest.FixtureRequest,
    browser: Browser,
    tmp_path_factory: pytest.TempPathFactory,
    sqlite_databases: SqliteDatabases,
) -> Iterator[Tabs]:
    by_cookie = request.param == "cookie"
    script = f"{ISSUER_AND_CLIENT}{BY_COOKIE if by_cookie else read_documented_refresh()}{CALLS_OF_A_TAB}"
    page = f"<!doctype html><title>Tab</title><link rel=icon href=data:,><script>{script}</script>"
    with running_server() as site, time_limit(150):
        installation = install(tmp_path_factory.mktemp("tabs"), sqlite_databases.migrated(), ISSUER=site.url)
        site.answer = line = SlowLine([installation.port], page, SECONDS, SEED)
        with signed_in(browser, installation, line, **({"delivery": "cookie"} if by_cookie else {})) as tabs:
            yield tabs


@pytest.mark.parametrize(("tabs", "rounds_of_tabs"), [("cookie", 50), ("storage", 10)], indirect=["tabs"])
def test_tabs_that_refresh_at_once_lose_no_session(tabs: Tabs, rounds_of_tabs: int) -> None:
    """Five tabs, two calls each, any order of requests and answers, the rest over before each round."""
    for number in range(rounds_of_tabs):
        let_pass(tabs.server.installation, REST)
        assert tabs.refresh(in_turn=number % 3 != 0) == [tabs.sid] * TABS * CALLS, number
    assert tabs.read_generation() == 1 + rounds_of_tabs, "one exchange a round"
    let_pass(tabs.server.installation, REST)
    assert tabs.refresh(calls=1) == [tabs.sid] * TABS


def test_tabs_of_a_laptop_that_slept_in_mid_refresh_wake_at_once(tabs: Tabs) -> None:
    """The exchange was made and its answers are lost; hours later all tabs come with the old token, together."""
    tabs.line.loses_answers = True
    assert tabs.sid not in tabs.refresh()
    tabs.line.loses_answers = False
    let_pass(tabs.server.installation, SLEEP)
    for awake in range(3):
        assert tabs.refresh(in_turn=True) == [tabs.sid] * TABS * CALLS, awake
        let_pass(tabs.server.installation, REST)
    assert tabs.refresh(calls=1) == [tabs.sid] * TABS
