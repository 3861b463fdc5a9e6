"""The time from the 200 of a password change to the first 401 at every resource server, during refreshes of others."""

import http.client
import json
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.databases import Databases
from benchmarks.driver import Driver, Request
from benchmarks.installation import CLIENTS, PASSWORD, Installation, Reader, Sizes, install
from benchmarks.processes import running_server, server_environment
from benchmarks.table import Line, Target
from tests.support.world.processes import free_port

TARGET = Target("≤", 1.0, "s")
RESOURCE_SERVERS = 4
_POLL_SECONDS = 0.005
_PATIENCE = 15.0
_LOAD_CLIENTS = 4


def measure_propagation(
    driver: Driver, databases: Databases, folder: Path, sizes: Sizes, *, changes: int
) -> list[Line]:
    """Change passwords one after the other, and wait until the slowest resource server refuses the other device.

    The resource servers are processes with the verifier's defaults (a poll each half second).
    """
    ours = install(folder, databases.create("propagation"), sizes)
    reader = ours.register_reader()
    with ours.serving(), ExitStack() as stack:
        ours.register_users()
        servers = (_resource_server(folder, ours, reader, number) for number in range(RESOURCE_SERVERS))
        ports = [stack.enter_context(server) for server in servers]
        # Signed in before the changes, because a sign-in is refused if its password changes meanwhile.
        request, stop = ours.refresh(ours.register_rotating_client()), threading.Event()
        with ThreadPoolExecutor(1) as threads:
            load = threads.submit(_refresh_meanwhile, driver, request, stop)
            try:
                seconds = [_measure_change(ours, ports, number) for number in range(changes)]
            finally:
                stop.set()
            load.result()
    seconds.sort()
    p50, p99 = statistics.median(seconds), seconds[max(0, -(-len(seconds) * 99 // 100) - 1)]
    figures = f"p50 {p50:.2f} s, p99 {p99:.2f} s, max {seconds[-1]:.2f} s"
    name = f"password change to 401 at {RESOURCE_SERVERS} servers, {databases.name}, {changes} changes under load"
    return [Line(name, figures, value=p99, target=TARGET)]


def _measure_change(ours: Installation, ports: list[int], number: int) -> float:
    # None of the users who refresh meanwhile, because the change would end their tokens.
    email = f"user{_LOAD_CLIENTS + number % (CLIENTS - _LOAD_CLIENTS)}@example.com"
    victim = _sign_in(ours, email, "victim")["access_token"]
    changer = _sign_in(ours, email, "changer")["access_token"]
    _expect_passing(ports, victim)
    with ThreadPoolExecutor(len(ports)) as threads:
        watchers = [threads.submit(_Watcher(port, victim).watch) for port in ports]
        members = {"current_password": PASSWORD, "new_password": PASSWORD}
        _call(ours, "/api/account/password", members, changer)
        changed_at = time.monotonic()
        return max(watcher.result() for watcher in watchers) - changed_at


def _expect_passing(ports: list[int], token: str) -> None:
    for port in ports:
        if _Watcher(port, token).ask() != http.client.NO_CONTENT:
            raise RuntimeError(f"a good token does not pass at port {port}")


@dataclass(frozen=True, slots=True)
class _Watcher:
    """Polls one resource server."""

    port: int
    token: str

    def watch(self) -> float:
        """Poll until the first 401, and return its time."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self._ask(connection) == http.client.UNAUTHORIZED:
                connection.close()
                return time.monotonic()
            time.sleep(_POLL_SECONDS)
        raise RuntimeError(f"port {self.port} went on to accept the token for {_PATIENCE:.0f} s")

    def ask(self) -> int:
        """Send one request, and return the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        status = self._ask(connection)
        connection.close()
        return status

    def _ask(self, connection: http.client.HTTPConnection) -> int:
        connection.request("GET", "/", headers={"Authorization": f"Bearer {self.token}"})
        response = connection.getresponse()
        response.read()
        return response.status


def _refresh_meanwhile(driver: Driver, request: Request, stop: threading.Event) -> None:
    while not stop.is_set():
        driver.run(request, clients=_LOAD_CLIENTS, seconds=5)  # leaves the newest token of each family in the file


def _sign_in(ours: Installation, email: str, device_id: str) -> Mapping[str, Any]:
    members = {"email": email, "password": PASSWORD, "device_id": device_id}
    return _call(ours, "/api/login", members)


def _call(ours: Installation, path: str, members: Mapping[str, Any], token: str | None = None) -> Mapping[str, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection = http.client.HTTPConnection("127.0.0.1", ours.port, timeout=_PATIENCE)
    status, body = _post(connection, path, members, headers)
    while status == http.client.SERVICE_UNAVAILABLE:  # the hashing pool is full, so try again
        time.sleep(0.05)
        status, body = _post(connection, path, members, headers)
    connection.close()
    if status != http.client.OK:
        raise RuntimeError(f"{path} answered {status}: {body!r}")
    answer: Mapping[str, Any] = json.loads(body)
    return answer


def _post(
    connection: http.client.HTTPConnection, path: str, members: Mapping[str, Any], headers: Mapping[str, str]
) -> tuple[int, bytes]:
    connection.request("POST", path, json.dumps(members), dict(headers))
    response = connection.getresponse()
    return response.status, response.read()


@contextmanager
def _resource_server(folder: Path, ours: Installation, reader: Reader, number: int) -> Iterator[int]:
    port = free_port()
    environment = server_environment(
        BENCH_ISSUER=ours.url,
        BENCH_CLIENT_ID=reader.client_id,
        BENCH_CLIENT_SECRET=reader.client_secret,
        BENCH_PORT=str(port),
    )
    command = [sys.executable, "-m", "benchmarks.resource_server"]
    log = folder / f"resource-server-{number}.log"
    with running_server(command, environment=environment, url=f"http://127.0.0.1:{port}/", log=log):
        yield port
