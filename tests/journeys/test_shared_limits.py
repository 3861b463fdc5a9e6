"""Two workers, one limit: counted over real sockets, through the death of a worker."""

import threading
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Final

from tests.support.people.device import register
from tests.support.wire.http import HttpClient
from tests.support.world.processes import PATIENCE, wait_until
from tests.support.world.server import Server, install, serving
from tests.support.world.time_limit import time_limit

LIMIT: Final = 10
AT_ONCE: Final = 16


def _try_once(server: Server, email: str, start: threading.Barrier | None = None) -> int:
    with HttpClient(server.port) as client:
        client.get("/healthz")  # connected
        if start is not None:
            start.wait(PATIENCE)
        return client.post_json("/api/login", email=email, password="wrong horse battery staple").status


def test_ten_tries_are_ten_with_two_workers(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path}/authserver.db"
    installation = install(tmp_path, database_url, LOGIN_LIMITS=f"{LIMIT} per hour")
    with time_limit(120), serving(installation) as server:
        email, start = register(server), threading.Barrier(AT_ONCE)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            statuses = list(threads.map(lambda _: _try_once(server, email, start), range(AT_ONCE)))
        # What was answered 503 was not tried, and not counted.
        while (status := _try_once(server, email)) != HTTPStatus.TOO_MANY_REQUESTS:
            statuses.append(status)
        assert statuses.count(HTTPStatus.UNAUTHORIZED) == LIMIT
        assert set(statuses) <= {401, 429, 503}
        killed = server.kill_worker()
        wait_until(lambda: len({*server.worker_pids()} - {killed}) == 2, "another worker")
        assert [_try_once(server, email) for _ in range(4)] == [429] * 4
