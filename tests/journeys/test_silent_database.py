"""What a server does while its PostgreSQL says nothing, or one table is locked, over real sockets."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
import pytest

from authserver.protocol.pause import LONGEST_PAUSE
from tests.support.people.device import Device, register
from tests.support.wire.http import Answer, HttpClient
from tests.support.wire.silence import Silence, silenceable
from tests.support.world.databases import Databases
from tests.support.world.processes import wait_until
from tests.support.world.server import Server, install, serving
from tests.support.world.time_limit import time_limit

PROMISED_SECONDS = 5
SLACK = 3
CROWD = 60
"""More than the server lets in."""
FROM_MEMORY = ("/healthz", "/.well-known/jwks.json", "/.well-known/openid-configuration", "/pages.css")


@dataclass(frozen=True)
class Served:
    """A server of one worker with two requests in the database at once, behind a proxy that can fall silent."""

    server: Server
    silence: Silence


@pytest.fixture(scope="module")
def served(postgresql_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("server")
    with silenceable(postgresql_databases.migrated()) as silence:
        installation = install(folder, silence.url, THREADS="6")
        with serving(installation, workers=1) as server:
            yield Served(server, silence)


def _time(ask: Callable[[], Answer]) -> tuple[Answer, float]:
    began = time.monotonic()
    return ask(), time.monotonic() - began


def _get(server: Server, path: str) -> Answer:
    with HttpClient(server.port) as client:
        return client.get(path)


def _assert_memory_answers(server: Server) -> None:
    for path in FROM_MEMORY:
        answer, took = _time(lambda path=path: _get(server, path))  # type: ignore[misc]
        assert (answer.status, took < SLACK) == (200, True), (path, answer.status, took)


@time_limit(120)
def test_a_silent_database_stops_nothing_that_does_not_need_it(served: Served) -> None:
    """Everything else ends with a 503 within five seconds, and goes on by itself when the database speaks again."""
    server = served.server
    with Device(server, register(server)) as device, ThreadPoolExecutor(CROWD) as threads:
        assert _get(server, "/readyz").status == 200
        served.silence.silent.set()
        try:

            def ask(number: int) -> tuple[Answer, float]:
                path = ("/api/password/forgot", "/oauth/token")[number % 2]
                with HttpClient(server.port) as client:
                    if number % 2:
                        form = {"grant_type": "refresh_token", "client_id": "first-party"}
                        return _time(lambda: client.post_form(path, **form, refresh_token=device.refresh_token))
                    return _time(lambda: client.post_json(path, email="nobody@example.test"))

            asked = [threads.submit(ask, number) for number in range(CROWD)]
            time.sleep(0.5)  # they are there by now
            _assert_memory_answers(server)
            readiness, took = _time(lambda: _get(server, "/readyz"))
            assert (readiness.status, took < 2 * SLACK) == (503, True)
            for one in asked:
                answer, took = one.result(60)
                assert answer.status == 503, answer
                assert 1 <= int(answer.headers["retry-after"]) <= LONGEST_PAUSE
                assert took < SLACK * PROMISED_SECONDS
            _assert_memory_answers(server)
        finally:
            served.silence.silent.clear()
        wait_until(lambda: _get(server, "/readyz").status == 200, "being ready again")
        wait_until(lambda: device.present(device.refresh_token).status == 200, "the next refresh")


@time_limit(120)
def test_a_locked_table_keeps_only_those_doors_waiting_that_need_it(served: Served) -> None:
    """Beyond the places of its door a request is told to come back before it waits for anything."""
    server = served.server
    with Device(server, register(server)) as device, ThreadPoolExecutor(40) as threads:
        held = threading.Event()
        with psycopg.connect(served.silence.direct_url) as lock:
            lock.execute("LOCK TABLE refresh_token_families IN ACCESS EXCLUSIVE MODE")

            def refresh(_: int) -> tuple[Answer, float]:
                form = {
                    "grant_type": "refresh_token",
                    "client_id": "first-party",
                    "refresh_token": device.refresh_token,
                }
                with HttpClient(server.port) as client:
                    held.set()
                    return _time(lambda: client.post_form("/oauth/token", **form))

            refreshes = [threads.submit(refresh, number) for number in range(40)]
            assert held.wait(20)
            for _ in range(3):
                _assert_memory_answers(server)
                _, took = _time(lambda: register_answer(server))
                assert took < SLACK
            answers = [one.result(60) for one in refreshes]
            lock.rollback()
        assert {answer.status for answer, _ in answers} == {503}
        assert max(took for _, took in answers) < SLACK * PROMISED_SECONDS
        assert device.present(device.refresh_token).status == 200


def register_answer(server: Server) -> Answer:
    """What a door that needs no family says, while the table of families is locked."""
    with HttpClient(server.port) as client:
        answer = client.post_json("/api/password/forgot", email="nobody@example.test")
    assert answer.status == 202, answer
    return answer


@time_limit(120)
def test_a_storm_of_refreshes_is_turned_away_beyond_the_queue_and_the_rest_stay_quick(served: Served) -> None:
    server = served.server
    with ThreadPoolExecutor(60) as threads:
        devices = [Device(server, register(server)) for _ in range(3)]
        start = threading.Barrier(60)

        def storm(number: int) -> list[tuple[Answer, float]]:
            with HttpClient(server.port) as client:
                form = {"grant_type": "refresh_token", "client_id": "first-party"}
                token = devices[number % 3].refresh_token
                start.wait(30)
                return [_time(lambda: client.post_form("/oauth/token", **form, refresh_token=token)) for _ in range(10)]

        answers = [pair for one in threads.map(storm, range(60)) for pair in one]
        for device in devices:
            device.close()
    assert {answer.status for answer, _ in answers} == {200, 503}
    assert max(took for _, took in answers) < SLACK * PROMISED_SECONDS
    pauses = {answer.headers["retry-after"] for answer, _ in answers if answer.status == 503}
    assert pauses <= {str(seconds) for seconds in range(1, LONGEST_PAUSE + 1)}
