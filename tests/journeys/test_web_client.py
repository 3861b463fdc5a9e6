"""The example of a web application: a person signs in through it, and it keeps to what clients must do."""

import json
import runpy
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import session

from tests.support.people.device import Device, register
from tests.support.people.visitor import Visitor
from tests.support.wire.http import answers
from tests.support.wire.web_client import APP, WebClient, find_tokens, registered_web_client
from tests.support.world.databases import BACKENDS, Databases
from tests.support.world.processes import end, free_port, wait_until
from tests.support.world.realm import PASSWORD
from tests.support.world.server import Server, install, serving
from tests.support.world.time_limit import time_limit

SOON = 3.0
NAME = "Ada Lovelace"
NEW_PASSWORD = "another horse, another battery"


@dataclass(frozen=True)
class World:
    """A server, the example as a client of somebody else, a user, and her browser."""

    server: Server
    client: WebClient
    email: str
    visitor: Visitor

    def home(self, client: WebClient | None = None) -> str:
        """What she reads at the application."""
        return self.visitor.visit(f"{(client or self.client).url}/").body.decode()

    def sign_in(self, password: str = PASSWORD) -> str:
        """The whole way, with consent where it is asked for; what she reads in the end."""
        self.visitor.visit(f"{self.client.url}/login")
        self.visitor.send("password", email=self.email, password=password)
        if "decision" in self.visitor.page.body.decode():
            self.visitor.send(decision="allow")
        return self.visitor.page.body.decode()


@pytest.fixture(scope="module", params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests here: each has a user of its own."""
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    with serving(install(tmp_path_factory.mktemp("server"), databases.migrated()), workers=1) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[WebClient]:
    with registered_web_client(server.installation, "Photo book") as client:
        yield client


@pytest.fixture
def world(server: Server, client: WebClient) -> Iterator[World]:
    with time_limit(120), Visitor() as visitor:
        yield World(server, client, register(server, name=NAME), visitor)


def change_password(world: World, **choice: bool) -> None:
    """In another session, and at the JSON API."""
    with Device(world.server, world.email) as device:
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD, **choice}
        changed = device.post_json("/api/account/password", bearer=device.access_token, **body)
        assert changed.status == 200, changed


def test_a_person_signs_in_and_her_browser_sees_no_token(world: World) -> None:
    """ASVS 10.1.1: access and refresh token stay with the application, also out of its cookie."""
    assert "You are not signed in" in world.home()
    assert f"Hello, {NAME}. Your address is {world.email}." in world.sign_in()
    assert world.visitor.url == f"{world.client.url}/"
    assert NAME in world.home()
    assert find_tokens(world.visitor) == []


def test_a_second_application_signs_her_in_without_a_word(world: World) -> None:
    """ASVS 7.6.2: she pressed the button there; our own application need not ask for consent."""
    world.sign_in()
    with registered_web_client(world.server.installation, "Our own", "--first-party") as second:
        assert "You are not signed in" in world.home(second)
        before = len(world.visitor.received)
        world.visitor.visit(f"{second.url}/login")
        assert NAME in world.visitor.page.body.decode()
        assert {answer.status for answer in world.visitor.received[before:-1]} <= {302, 303}
        world.visitor.send()
        assert "You are not signed in" in world.home(second)
        assert "Your session has ended" in world.home(), "it was one session for both"


def test_a_password_change_elsewhere_ends_what_the_application_holds(world: World) -> None:
    """ASVS 7.4.3, 7.4.1: its next refresh is refused, and it asks to sign in again."""
    world.sign_in()
    change_password(world)
    began = time.monotonic()
    page = world.home()
    assert time.monotonic() - began < SOON
    assert "Your session has ended" in page
    assert "You are not signed in" in world.home()
    assert NAME in world.sign_in(NEW_PASSWORD)


def test_an_application_that_was_spared_goes_on_and_nobody_notices(world: World) -> None:
    """Contract §3, `logout_devices: false`: its access token is stale, so it refreshes and asks again."""
    world.sign_in()
    change_password(world, logout_devices=False)
    assert NAME in world.home()


def test_signing_out_ends_the_session_at_the_server(world: World) -> None:
    """RP-Initiated Logout §2: by the hint, so nobody is asked; only this hint ever comes to the browser."""
    world.sign_in()
    world.visitor.send()
    assert world.visitor.url.startswith(f"{world.client.url}/?")
    assert set(find_tokens(world.visitor)) == {"JWT"}
    assert "You are not signed in" in world.home()
    world.visitor.visit(f"{world.client.url}/login")
    assert 'name="password"' in world.visitor.page.body.decode()


def test_what_another_browser_asked_for_signs_nobody_in(world: World) -> None:
    """ASVS 10.1.2, 10.2.1: neither a stranger's answer as it is, nor his code under one's own `state`."""
    stranger = Visitor()
    other = World(world.server, world.client, world.email, stranger)
    other.sign_in()
    stranger.visit(f"{world.client.url}/login", until=world.client.callback)
    answer = stranger.target
    assert world.visitor.visit(answer).status == 400
    world.visitor.visit(f"{world.client.url}/login")
    world.visitor.send("password", until=world.client.callback, email=world.email, password=PASSWORD)
    mine, his = (parse_qs(urlsplit(url).query) for url in (world.visitor.target, answer))
    mixed = urlencode({**{name: values[0] for name, values in mine.items()}, "code": his["code"][0]})
    refused = world.visitor.visit(f"{world.client.callback}?{mixed}")
    assert (refused.status, b"invalid_grant" in refused.body) == (400, True)
    assert "You are not signed in" in world.home()
    stranger.visit(answer)
    assert NAME in other.home(), "it goes wrong only for whom it was not meant"
    stranger.close()


def test_an_answer_that_was_overtaken_puts_no_older_token_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example keeps new tokens only where the refresh token that was sent still stands."""
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(name, "example")
    example = SimpleNamespace(**runpy.run_path(str(APP)))
    with example.app.test_request_context():
        session["id"] = "ada"
        example.store.set("ada", {"refresh_token": "first"})
        for sent, given in (("first", "second"), ("second", "third"), ("first", "second")):
            example.keep_refreshed("authserver", {"refresh_token": given}, refresh_token=sent)
        assert example.store.get("ada") == {"refresh_token": "third"}


def test_its_one_command_registers_it_once_and_serves_it(server: Server) -> None:
    """What `make web-client` runs."""
    port = free_port()
    command = [sys.executable, "-m", "examples.run_web_client", "--port", str(port), "--issuer", server.url]
    environment = {**server.installation.environment, "AUTHSERVER_CONFIG": ""}
    for _ in range(2):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda process=process: answers(port) or process.poll() is not None, "the start")  # type: ignore[misc]
            assert process.poll() is None
        finally:
            end(process)
    listed = json.loads(server.installation.type("clients", "list", "--json").stdout)["clients"]
    assert [one["name"] for one in listed].count("Web client") == 1
