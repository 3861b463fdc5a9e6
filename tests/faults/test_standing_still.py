"""Whoever stands still, a client in the middle of a body or a worker, keeps nobody else waiting for long."""

import http.client
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest

from authserver.server.pulse import FROZEN_SECONDS, Pulse
from authserver.server.slow_bodies import BODY_SECONDS
from tests.support.world.processes import PATIENCE, free_port, is_running, kill, running, wait_until

SERVER = "tests.support.world.trivial_server"
DRIPS = 20


@contextmanager
def serving(workers: int = 1) -> Iterator[int]:
    port = free_port()
    with running(SERVER, str(port), str(workers), environment={"THREADS": "32"}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield port


def get(port: int) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        connection.request("GET", "/")
        return int(connection.getresponse().read())


def begin(port: int) -> socket.socket:
    """A request of which the body has only begun."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\nhello")
    return connection


def drip(connection: socket.socket, stop: threading.Event) -> None:
    with suppress(OSError):
        while not stop.wait(0.2):
            connection.sendall(b".")


def answer_of(connection: socket.socket) -> bytes:
    answer = b""
    with suppress(ConnectionError):
        while part := connection.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize("bodies", [1, DRIPS])
def test_a_body_that_drips_is_cut_and_nobody_else_waits_for_it(bodies: int) -> None:
    """One has all its time, and is cut at the end of it; so many that they keep a quarter of the threads have less."""
    stop = threading.Event()
    with serving() as port, ExitStack() as stack:
        stack.callback(stop.set)
        began = time.monotonic()
        slow = [stack.enter_context(closing(begin(port))) for _ in range(bodies)]
        for connection in slow:
            threading.Thread(target=drip, args=(connection, stop), daemon=True).start()
        worker = get(port)
        assert time.monotonic() - began < BODY_SECONDS, "another request was answered meanwhile"
        for connection in slow:
            answer = answer_of(connection)
            assert not answer or answer.split(b" ")[1] == b"408", answer
        took = time.monotonic() - began
        assert took < 3 * BODY_SECONDS
        assert get(port) == worker, "and the worker goes on"
        if bodies == 1:
            assert took > BODY_SECONDS - 1


def test_a_connection_that_works_is_not_cut_beside_one_that_drips() -> None:
    """Both come from one address, as all do behind a proxy."""
    with (
        serving() as port,
        closing(begin(port)) as slow,
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as busy,
    ):
        until = time.monotonic() + BODY_SECONDS + 2
        while time.monotonic() < until:
            busy.request("POST", "/echo", b"whole")
            assert busy.getresponse().read() == b"whole"
            time.sleep(0.1)
        assert answer_of(slow).split(b" ")[1:2] in ([b"408"], [])


def test_a_worker_that_stands_still_is_replaced() -> None:
    with serving() as port:
        frozen = get(port)
        kill(frozen, signal.SIGSTOP)
        began = time.monotonic()
        wait_until(lambda: not is_running(frozen), "the end of the frozen worker")
        assert get(port) != frozen
        assert time.monotonic() - began < 3 * FROZEN_SECONDS


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time of the parent."""
    told = [0.0]
    monkeypatch.setattr("authserver.server.pulse.SystemClock.monotonic", lambda _: told[0])

    def set_to(seconds: float) -> None:
        told[0] = seconds

    return set_to


def test_a_parent_that_stood_still_itself_blames_nobody(now: Callable[[float], None]) -> None:
    """After a stop of the whole group, or a suspended machine, the workers need a moment to be heard."""
    now(0)
    pulse = Pulse()
    for second in range(int(FROZEN_SECONDS) + 1):
        now(second)
        assert pulse.find_frozen([7]) == []
    now(FROZEN_SECONDS + 100)
    assert pulse.find_frozen([7]) == []
    for second in range(1, int(FROZEN_SECONDS) + 1):
        now(FROZEN_SECONDS + 100 + second)
        assert pulse.find_frozen([7]) == []
    now(2 * FROZEN_SECONDS + 101)
    assert pulse.find_frozen([7]) == [7]
