"""Signing keys change while people refresh and call a resource server (fault experiments F21, F22).

Every wait is as short as settings allow, and the key changes as often as the waits allow.
"""

import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from authserver.protocol import base64url
from tests.support.people.device import Device, register
from tests.support.wire.http import HttpClient
from tests.support.wire.resource_server import ResourceServer, guarding
from tests.support.world.processes import PATIENCE, wait_until
from tests.support.world.server import Installation, Server, install, serving
from tests.support.world.time_limit import time_limit

if TYPE_CHECKING:
    from tests.support.world.databases import Databases

CLIENTS = 4
SHORT = {"JWKS_MAX_AGE": "1", "ACCESS_TOKEN_LIFETIME": "60", "KEY_RETIRE_AFTER": "90"}
PAUSE = 0.02
SEEN_WITHIN = 5.0
"""Seconds after which running servers have seen a change of the keys."""


@dataclass
class Traffic:
    """What the clients were told: statuses by who answered, and which keys had signed."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    headers: set[tuple[str, str]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)

    def pass_through(self, device: Device, guard: ResourceServer, stop: threading.Event) -> None:
        """Refresh, and show the new token and an old one, which is as good, at both servers, until told to stop."""
        tokens = [(device.access_token, time.monotonic())]
        while not stop.wait(PAUSE):
            self.answers["token", device.refresh().status] += 1
            tokens = [(token, since) for token, since in tokens if time.monotonic() - since < 50]
            tokens.append((device.access_token, time.monotonic()))
            self.headers.add(read_header(device.access_token))
            for token in (device.access_token, random.choice(tokens)[0]):
                self._show(token, device, guard)

    def _show(self, token: str, device: Device, guard: ResourceServer) -> None:
        at_issuer = device.get("/api/account", bearer=token)
        at_resource_server = guard.ask(token)
        self.answers["issuer", at_issuer.status] += 1
        self.answers["resource server", at_resource_server.status] += 1
        for answer in (at_issuer, at_resource_server):
            if answer.status != 200:
                self.refused.append(f"{read_header(token)}: {answer.body!r}")


def read_header(token: str) -> tuple[str, str]:
    """Key id and algorithm."""
    header = json.loads(base64url.decode(token.partition(".")[0]))
    return header["kid"], header["alg"]


def rotate_for(seconds: float, installation: Installation) -> None:
    """Type `authserver keys rotate` again and again, as an impatient cron would, and change the algorithm once."""
    begun_at = time.monotonic()
    type_keys(installation, "rotate")
    type_keys(installation, "stage", "--alg", "EdDSA")
    promotions = 0
    while time.monotonic() - begun_at < seconds or promotions < 3:
        promotions += len(re.findall("^signing: .* is active", type_keys(installation, "rotate"), re.MULTILINE))
        time.sleep(0.2)
    time.sleep(SEEN_WITHIN)


def type_keys(installation: Installation, *arguments: str) -> str:
    """What `authserver keys` says."""
    done = installation.type("keys", *arguments)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def published(server: Server) -> set[str]:
    """The key ids in the JWKS, whichever worker answers."""
    with HttpClient(server.port) as client:
        return {key["kid"] for key in client.get("/.well-known/jwks.json").json["keys"]}


@pytest.fixture(scope="module", params=["sqlite_databases", "postgresql_databases"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An issuer of short-lived tokens; the tests here leave it with other keys."""
    databases: Databases = request.getfixturevalue(request.param)
    with serving(install(tmp_path_factory.mktemp("server"), databases.migrated(), **SHORT)) as server:
        yield server


@pytest.fixture(scope="module")
def guard(server: Server) -> Iterator[ResourceServer]:
    with guarding(server.installation) as guard:
        yield guard


def test_no_good_token_is_rejected_while_keys_rotate(server: Server, guard: ResourceServer, rounds: int) -> None:
    """Neither by the issuer's own account API nor by a resource server; with many rounds long enough to retire keys."""
    seconds = 15 if rounds < 500 else 120
    stop, traffic = threading.Event(), Traffic()
    with time_limit(90 + seconds), ThreadPoolExecutor(CLIENTS) as threads, ExitStack() as stack:
        devices = [stack.enter_context(Device(server, register(server))) for _ in range(CLIENTS)]
        running = [threads.submit(traffic.pass_through, device, guard, stop) for device in devices]
        try:
            rotate_for(seconds, server.installation)
        finally:
            stop.set()
            for one in running:
                one.result(PATIENCE)
    assert traffic.refused == []
    assert {status for _, status in traffic.answers} == {200}
    assert {algorithm for _, algorithm in traffic.headers} == {"ES256", "EdDSA"}
    assert len(traffic.headers) >= 3, "keys have not changed often enough to prove anything"


@time_limit(90)
def test_a_compromised_key_signs_nothing_more_and_leaves_the_jwks(server: Server, guard: ResourceServer) -> None:
    """At once means within the time in which servers see a change; sessions go on with their next refresh."""
    with Device(server, register(server)) as device:
        stolen = device.access_token
        kid, _ = read_header(stolen)
        assert guard.ask(stolen).status == 200
        type_keys(server.installation, "compromise", kid)
        told_at = time.monotonic()

        def is_over() -> bool:
            # Ten times each, because two workers answer, and one may have read the keys before the other one.
            device.refresh()
            return kid not in published(server) and read_header(device.access_token)[0] != kid

        wait_until(lambda: all(is_over() for _ in range(10)), "the end of the key")
        assert time.monotonic() - told_at < 3 * SEEN_WITHIN
        for _ in range(10):
            device.refresh()
            assert read_header(device.access_token)[0] in published(server) - {kid}
            assert device.ask_account().status == 200
        assert device.get("/api/account", bearer=stolen).status == 401
        wait_until(lambda: guard.ask(stolen).status == 401, "the refusal at the resource server")
        assert guard.ask(device.access_token).status == 200
