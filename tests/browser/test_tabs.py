"""Tabs of one real browser share a cookie and refresh all at once behind a slow line: nobody is logged out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from authserver.protocol.limits import REST_MARGIN
from authserver.storage.schema import RefreshTokenFamily
from tests.support.databases import SqliteDatabases, opened
from tests.support.device import register
from tests.support.loopback import running_server
from tests.support.moved_server import let_pass, serve_moved
from tests.support.realm import PASSWORD
from tests.support.server import Server, install, serving
from tests.support.slow_line import PAGE, SlowLine
from tests.support.time_limit import time_limit

TABS = 5
CALLS = 2
ROUNDS = 50
SECONDS = (0.010, 0.150)
SEED = 20261125
REST = timedelta(seconds=60) + REST_MARGIN
SLEEP = timedelta(hours=5)

# A tab whose access token has expired: two of its calls find out at once, and each refreshes.
TAB = """<!doctype html><title>Tab</title><link rel=icon href=data:,>
<script>
const refresh = async () => {
  const body = JSON.stringify({client_id: "first-party"});
  const asked = {method: "POST", headers: {"Content-Type": "application/json"}, body};
  try {
    const answer = await fetch("/api/refresh", asked);
    return {status: answer.status, ...await answer.json()};
  } catch {
    return {status: 0};
  }
};
const tabs = new BroadcastChannel("tabs"), refreshed = new BroadcastChannel("refreshed");
tabs.onmessage = async ({data: calls}) => {
  refreshed.postMessage(await Promise.all(Array.from({length: calls}, refresh)));
};
</script>"""
ALL_AT_ONCE = """
([count, calls]) => new Promise((done) => {
  const answers = [];
  refreshed.onmessage = ({data}) => { if (answers.push(data) === count) done(answers.flat()); };
  new BroadcastChannel("tabs").postMessage(calls);
})
"""
SIGN_IN = """
async (members) => (await fetch("/api/login", {
  method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({...members, delivery: "cookie"}),
})).json()
"""


@dataclass(frozen=True)
class Tabs:
    """The tabs of a browser in which somebody has signed in; one more page tells them when to go."""

    server: Server
    line: SlowLine
    conductor: Page
    pages: tuple[Page, ...]
    sid: str

    def refresh(self, calls: int = CALLS) -> list[dict[str, Any]]:
        """What the tabs are answered that refresh all at once, in so many calls each."""
        answers: list[dict[str, Any]] = self.conductor.evaluate(ALL_AT_ONCE, [TABS, calls])
        return answers

    def read_generation(self) -> int:
        """How often the session's refresh token was exchanged, and one."""
        with opened(self.server.installation.database_url) as database, database.read() as tx:
            generation = select(RefreshTokenFamily.generation).where(RefreshTokenFamily.sid == self.sid)
            return int(tx.execute(generation).scalar_one())


@pytest.fixture
def tabs(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, sqlite_databases: SqliteDatabases
) -> Iterator[Tabs]:
    with running_server() as site:
        installation = install(tmp_path_factory.mktemp("tabs"), sqlite_databases.migrated(), ISSUER=site.url)
        line = SlowLine(installation.port, TAB, SECONDS, SEED)
        site.answer = line
        with time_limit(150), serving(installation, workers=1, program=serve_moved) as server:
            context = browser.new_context()
            try:
                conductor, *pages = (context.new_page() for _ in range(TABS + 1))
                for page in (conductor, *pages):
                    page.goto(f"{site.url}{PAGE}")
                conductor.evaluate("tabs.close()")
                signed_in = conductor.evaluate(SIGN_IN, {"email": register(server), "password": PASSWORD})
                yield Tabs(server, line, conductor, tuple(pages), signed_in["sid"])
            finally:
                context.close()


def test_tabs_that_refresh_at_once_lose_no_session(tabs: Tabs) -> None:
    """Five tabs, two calls each, any order of requests and answers, the rest over before each round."""
    for number in range(ROUNDS):
        let_pass(tabs.server.installation, REST)
        answers = tabs.refresh()
        assert [answer["status"] for answer in answers] == [200] * TABS * CALLS, (number, answers)
        assert {answer["sid"] for answer in answers} == {tabs.sid}
        assert tabs.read_generation() == number + 2, "one exchange a round"


def test_tabs_of_a_laptop_that_slept_in_mid_refresh_wake_at_once(tabs: Tabs) -> None:
    """The exchange was made and its answers are lost; hours later all tabs come with the old token, together."""
    tabs.line.loses_answers = True
    assert {answer["status"] for answer in tabs.refresh()} == {0}
    tabs.line.loses_answers = False
    let_pass(tabs.server.installation, SLEEP)
    for awake in range(3):
        answers = tabs.refresh()
        assert [answer["status"] for answer in answers] == [200] * TABS * CALLS, (awake, answers)
        let_pass(tabs.server.installation, REST)
    assert {answer["sid"] for answer in tabs.refresh(calls=1)} == {tabs.sid}
