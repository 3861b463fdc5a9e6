"""Workers that are killed, and a server that is told to end, while clients refresh (fault experiments F1, F13).

A client sees a cut connection and nothing worse; it sends the same refresh token once more and goes on.
"""

import time
from pathlib import Path

import pytest

from tests.support.faults.load import RefreshingClient, assert_no_fork, refreshing
from tests.support.people.device import assert_alive
from tests.support.world.processes import wait_until
from tests.support.world.server import Installation, Server, install, serving
from tests.support.world.time_limit import time_limit

CLIENTS = 6
WORKERS = 2


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Installation:
    return install(tmp_path, database_url)


def test_killed_workers_leave_every_client_with_a_working_pair(installation: Installation, rounds: int) -> None:
    """After one retry, whenever the kill came; no family forks, no answer is a 5xx, each worker is replaced."""
    kills = min(50, rounds // 5)
    with time_limit(60 + 5 * kills), serving(installation, workers=WORKERS) as server:
        with refreshing(server, CLIENTS) as clients:
            for kill in range(kills):
                time.sleep(0.1)
                killed = server.kill_worker(server.worker_pids()[kill % WORKERS])
                wait_until(lambda killed=killed: _has_replaced(server, killed), "the new worker")  # type: ignore[misc]
                # Everybody goes on before the next kill: one retry is promised to survive one kill.
                reached = [len(client.successors) + 1 for client in clients]
                wait_until(lambda reached=reached: _have_reached(clients, reached), "each client's next token")  # type: ignore[misc]
        assert any(client.cuts for client in clients), "no kill has hit a request: this run has tried nothing"
        assert_no_fork(server, clients)
        for client in clients:
            with client.device as device:
                assert_alive(device)


@time_limit(60)
def test_a_server_told_to_end_under_load_answers_what_is_in_flight(installation: Installation) -> None:
    """Only requests sent after the word to end may find the connection closed, and after the restart they work."""
    with serving(installation, workers=WORKERS) as server, refreshing(server, CLIENTS, retry=False) as clients:
        wait_until(lambda: _have_reached(clients, [10] * CLIENTS), "ten tokens for each client")
        told_at = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - told_at < 10, "longer than the drain may last"
    assert [cut for client in clients for cut in client.cuts if cut.sent_at < told_at] == []
    with serving(installation, workers=1) as server:
        for client in clients:
            assert client.successors
            with client.device as device:
                assert_alive(device)


def _have_reached(clients: list[RefreshingClient], counts: list[int]) -> bool:
    return all(len(client.successors) >= count for client, count in zip(clients, counts, strict=True))


def _has_replaced(server: Server, killed: int) -> bool:
    pids = server.worker_pids()
    return killed not in pids and len(pids) == WORKERS
