"""Back-channel logout over real sockets: a running server tells running clients that a session has ended."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.support.people.device import Device, register
from tests.support.people.visitor import Visitor
from tests.support.wire.http import HttpClient
from tests.support.wire.logout_receiver import check_logout_token, running_receiver
from tests.support.wire.web_client import WebClient, register_web_client, registered_web_client, running_web_client
from tests.support.world.databases import BACKENDS, Databases
from tests.support.world.processes import free_port, wait_until
from tests.support.world.realm import PASSWORD
from tests.support.world.server import Server, install, serving
from tests.support.world.time_limit import time_limit

PROMISED = 2.0
SLACK = 3


@dataclass(frozen=True)
class World:
    """A server, and a person at a browser."""

    server: Server
    email: str
    visitor: Visitor

    def sign_in(self, client: WebClient) -> str:
        """Sign in at the application; the page that it shows."""
        self.visitor.visit(f"{client.url}/login")
        if 'name="password"' in self.visitor.page.body.decode():
            self.visitor.send("password", email=self.email, password=PASSWORD)
        if "decision" in self.visitor.page.body.decode():
            self.visitor.send(decision="allow")
        return self.visitor.page.body.decode()

    def end_all(self) -> None:
        """Sign out everywhere, from another device."""
        with Device(self.server, self.email) as device:
            assert device.post_json("/api/logout/all", bearer=device.access_token).status == 204

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for what is promised within two seconds."""
        began = time.monotonic()
        wait_until(condition, what)
        assert time.monotonic() - began < PROMISED * SLACK


@pytest.fixture(scope="module", params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests here: each has a user of its own."""
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    installation = install(tmp_path_factory.mktemp("server"), databases.migrated(), PRIVATE_HOSTS="127.0.0.1")
    with serving(installation, workers=1) as server:
        yield server


@pytest.fixture
def world(server: Server) -> Iterator[World]:
    with time_limit(120), Visitor() as visitor:
        yield World(server, register(server, name="Ada"), visitor)


def test_clients_are_told_within_two_seconds_and_a_silent_one_delays_nobody(world: World) -> None:
    """One application never answers; the other gets a token that another library reads."""
    installation = world.server.installation
    with running_receiver() as mute, running_receiver() as receiver:
        mute.server.gate.clear()
        with (
            registered_web_client(installation, "Mute", "--backchannel-logout-uri", mute.uri) as silent,
            registered_web_client(installation, "Quick", "--backchannel-logout-uri", receiver.uri) as quick,
        ):
            for client in (silent, quick):
                assert "Hello, Ada" in world.sign_in(client)
            world.end_all()
            world.wait(lambda: bool(receiver.told), "the logout token")
        with HttpClient(world.server.port) as http:
            jwks = http.get("/.well-known/jwks.json").body
        check_logout_token(receiver.told[0], jwks, issuer=world.server.url, client_id=quick.client_id, now=time.time())
        assert len(mute.server.paths) <= 1


def test_a_client_that_was_down_is_told_when_it_is_back(world: World) -> None:
    port = free_port()
    uri = f"http://127.0.0.1:{port}/logout?by=the-server"
    with registered_web_client(world.server.installation, "Down", "--backchannel-logout-uri", uri) as client:
        assert "Hello, Ada" in world.sign_in(client)
        world.end_all()
        wait_until(lambda: "logout_put_off" in world.server.log, "the first attempt")
        with running_receiver(port) as receiver:
            wait_until(lambda: bool(receiver.told), "the logout token")


def test_the_example_of_a_web_client_ends_its_session(world: World) -> None:
    """Without asking the server: its browser is told at its next request."""
    installation, port = world.server.installation, free_port()
    uri = f"http://127.0.0.1:{port}/backchannel-logout"
    record = register_web_client(installation, "Photo book", port, "--backchannel-logout-uri", uri)
    secret, log = record["client_secret"], installation.folder / f"client-{port}.log"
    with running_web_client(installation.url, port, record["client_id"], secret, installation.folder) as client:
        assert "Hello, Ada" in world.sign_in(client)
        world.end_all()
        world.wait(lambda: '"POST /backchannel-logout HTTP/1.1" 200' in log.read_text(), "the logout token")
        assert b"You were signed out." in world.visitor.visit(f"{client.url}/").body
