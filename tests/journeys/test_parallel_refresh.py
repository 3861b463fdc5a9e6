"""A hundred clients with one refresh token, at the same moment, over real sockets (fault experiment F7)."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import select

from authserver.storage.schema import RefreshTokenFamily
from tests.support.people.device import Device, refresh_form, register
from tests.support.people.refreshing import end_rest
from tests.support.wire.http import Answer, HttpClient
from tests.support.world.databases import opened
from tests.support.world.processes import PATIENCE
from tests.support.world.server import Server, install, serving
from tests.support.world.time_limit import time_limit

AT_ONCE = 100


def present_at_once(server: Server, refresh_token: str, clients: int = AT_ONCE) -> list[Answer]:
    """What so many clients are told who show the same refresh token together, each on a connection of its own."""
    start = threading.Barrier(clients)

    def present() -> Answer:
        with HttpClient(server.port) as client:
            client.get("/healthz")  # connected
            start.wait(PATIENCE)
            answer = client.post_form("/oauth/token", **refresh_form(refresh_token))
            while answer.status == 503:  # a busy machine turns some away, who come back as they are told
                time.sleep(float(answer.headers["retry-after"]))
                answer = client.post_form("/oauth/token", **refresh_form(refresh_token))
            return answer

    with ThreadPoolExecutor(clients) as threads:
        return [answer.result(PATIENCE) for answer in [threads.submit(present) for _ in range(clients)]]


def test_parallel_refreshes_of_one_token_have_one_successor(database_url: str, tmp_path: Path, rounds: int) -> None:
    """One rotation, one successor for everybody, no failure; few connections to the database. ASVS 15.4.2."""
    repetitions = max(2, rounds // 25)
    with (
        time_limit(30 + 10 * repetitions),
        serving(install(tmp_path, database_url, THREADS="15")) as server,
        Device(server, register(server)) as device,
    ):
        for repetition in range(1, repetitions + 1):
            answers = present_at_once(server, device.refresh_token)
            assert [answer.status for answer in answers] == [200] * AT_ONCE
            (successor,) = {answer.json["refresh_token"] for answer in answers}
            assert len({answer.json["access_token"] for answer in answers}) == AT_ONCE
            with opened(database_url) as database, database.read() as tx:
                assert tx.execute(select(RefreshTokenFamily.generation)).scalar_one() == repetition + 1
            device.refresh_token = successor
            with opened(database_url) as database:
                end_rest(database)
        device.refresh()
