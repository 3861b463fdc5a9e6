"""The server as a process: workers may die, requests in flight may finish, bad framing stays outside."""

import http.client
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from tests.support.world.processes import PATIENCE, free_port, is_running, kill, running, wait_until

if TYPE_CHECKING:
    import subprocess

SERVER = "tests.support.world.trivial_server"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture(params=[1, 2], ids=["one worker", "two workers"])
def server(request: pytest.FixtureRequest, port: int) -> Iterator["subprocess.Popen[str]"]:
    with running(SERVER, str(port), str(request.param)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


@pytest.fixture(scope="module")
def door() -> Iterator[int]:
    """The port of a server for all tests that only send requests to it."""
    port = free_port()
    with running(SERVER, str(port), "1") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield port


def connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)


def ask(connection: http.client.HTTPConnection) -> tuple[int, str | None]:
    """Who answers, and whether the connection is kept after that."""
    connection.request("GET", "/")
    answer = connection.getresponse()
    return int(answer.read()), answer.headers["Connection"]


def get(port: int, path: str = "/") -> str:
    with closing(connect(port)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read().decode()


def send(port: int, request: bytes) -> bytes:
    """The whole answer to a request that is sent as it stands, until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        with suppress(ConnectionError):  # a refusal may come before all is sent
            connection.sendall(request)
        answer = b""
        with suppress(ConnectionError):
            while part := connection.recv(65536):
                answer += part
        return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


def test_a_killed_worker_is_replaced_and_no_later_request_fails(port: int, server: "subprocess.Popen[str]") -> None:
    """Also the second and third time within seconds, where granian's own supervisor would give up."""
    seen = set()
    for _ in range(4):
        pid = int(get(port))
        seen.add(pid)
        kill(pid)
        wait_until(lambda pid=pid: not is_running(pid), f"the end of worker {pid}")  # type: ignore[misc]
    assert int(get(port)) not in seen
    assert server.poll() is None


def test_sigterm_lets_a_request_in_flight_finish_and_then_ends(port: int, server: "subprocess.Popen[str]") -> None:
    answers: list[str] = []
    flight = threading.Thread(target=lambda: answers.append(get(port, "/slow")))
    get(port)
    flight.start()
    flight.join(0.3)  # on its way by now
    server.send_signal(signal.SIGTERM)
    assert server.wait(PATIENCE) == 0
    flight.join(PATIENCE)
    assert answers == ["finished"]
    with pytest.raises(ConnectionRefusedError):
        get(port)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel does not stop letting callers in")
@pytest.mark.parametrize("sent_after", [0, 0.05], ids=["at once", "a little later"])
def test_at_sigterm_whoever_was_let_in_is_answered_and_all_others_are_refused(
    port: int, server: "subprocess.Popen[str]", sent_after: float
) -> None:
    """A proxy tries the next server when it is refused; a request that was taken and dropped is a 502."""
    outcomes: list[str] = []

    def call_until_refused() -> None:
        while "refused" not in outcomes:
            outcomes.append(call(port, sent_after))

    get(port)
    time.sleep(0.6)  # for the first half second a worker may not hear that it is told to end
    callers = [threading.Thread(target=call_until_refused) for _ in range(8)]
    for caller in callers:
        caller.start()
    wait_until(lambda: len(outcomes) > 20, "some calls")
    server.send_signal(signal.SIGTERM)
    for caller in callers:
        caller.join(PATIENCE)
    assert server.wait(PATIENCE) == 0
    assert set(outcomes) == {"answered", "refused"}


def call(port: int, sent_after: float) -> str:
    """What becomes of one request on a connection of its own."""
    try:
        connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    except ConnectionRefusedError:
        return "refused"
    with connection:
        try:
            time.sleep(sent_after)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return "answered" if connection.recv(65536) else "closed without an answer"
        except OSError as error:
            return f"{type(error).__name__}"


@pytest.mark.parametrize(
    "begun", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nX"], ids=["new", "used", "half"]
)
def test_an_idle_connection_is_kept_for_the_set_time(port: int, begun: bytes) -> None:
    """Whoever reuses connections must be the first to close: a proxy's request on a closed one is a 502."""
    with running(SERVER, str(port), "1", environment={"KEEP_ALIVE": "3"}) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(begun)
            started = time.monotonic()
            with suppress(ConnectionError):
                while connection.recv(65536):
                    pass
            assert 2 < time.monotonic() - started < 3 * 3


def test_sighup_replaces_the_workers_while_requests_go_on(port: int, server: "subprocess.Popen[str]") -> None:
    before = {int(get(port)) for _ in range(20)}
    server.send_signal(signal.SIGHUP)
    wait_until(lambda: int(get(port)) not in before and not any(map(is_running, before)), "the change of workers")
    assert server.poll() is None


@pytest.mark.parametrize("server", [1], indirect=True)
def test_who_was_let_in_is_heard_before_a_worker_ends(port: int, server: "subprocess.Popen[str]") -> None:
    """A request may be on its way when a worker is told to end, on a connection that it took for idle."""
    with closing(connect(port)) as silent, closing(connect(port)) as busy:
        silent.connect()
        worker, _ = ask(busy)
        time.sleep(0.6)  # for the first half second a worker may not hear that it is told to end
        kill(worker, signal.SIGTERM)
        wait_until(lambda: ask(busy) == (worker, "close"), "the last call")
        assert ask(silent) == (worker, "close")
    wait_until(lambda: int(get(port)) != worker, "the next worker")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody sets the limits of another process")
@pytest.mark.parametrize("server", [1], indirect=True)
def test_a_worker_without_a_free_file_descriptor_ends_all_the_same(port: int, server: "subprocess.Popen[str]") -> None:
    """And not after the drain time, by force."""
    worker = int(get(port))
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    server.terminate()
    assert server.wait(5) == 0


@pytest.mark.parametrize("delay", [0.003, 0.008, 0.3])
def test_sigterm_while_a_worker_begins_is_not_lost(port: int, delay: float) -> None:
    """Between fork and first request a worker is deaf for a moment; that once cost the whole drain time."""
    with running(SERVER, str(port), "2") as server:
        assert server.stdout is not None
        server.stdout.readline()
        time.sleep(1.1)  # a worker of that age is replaced without delay
        kill(int(get(port)))
        time.sleep(delay)
        server.send_signal(signal.SIGTERM)
        assert server.wait(5) == 0


def test_ctrl_c_drains_too(port: int, server: "subprocess.Popen[str]") -> None:
    get(port)
    os.killpg(server.pid, signal.SIGINT)
    _, errors = server.communicate(timeout=PATIENCE)
    assert (server.returncode, errors) == (0, "")


def test_workers_end_with_a_killed_parent(port: int, server: "subprocess.Popen[str]") -> None:
    """Or else they would hold the port, and a restart would find it busy."""
    get(port)
    kill(server.pid)
    server.wait(PATIENCE)

    def refused() -> bool:
        try:
            get(port)
        except (ConnectionError, http.client.HTTPException):
            return True
        return False

    wait_until(refused, "the end of the workers")


def test_a_busy_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with running(SERVER, str(port), "1") as process:
            _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert errors == f"cannot listen on 127.0.0.1 port {port}: Address already in use\n"


def test_an_application_that_does_not_load_ends_the_server(port: int) -> None:
    with running(SERVER, str(port), "2", environment={"FAIL_TO_LOAD": "1"}) as process:
        output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert output == ""
    assert "this application does not load" in errors


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        ("Content-Length: 5", "hello", 200),
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", 411),
        ("Transfer-Encoding: gzip, chunked", "5\r\nhello\r\n0\r\n\r\n", 411),
        ("Transfer_Encoding: chunked\r\nContent-Length: 5", "hello", 400),
        ("Content-Length: 5\r\nContent-Length: 6", "hello!", 400),
        ("Content-Length: +5", "hello", 400),
        ("Content-Length: 65537", "", 413),
        ("Content-Length: 0\r\nX-Long: " + "a" * 20_000, "", 431),
    ],
)
def test_framing_at_the_real_door(door: int, head: str, body: str, status: int) -> None:
    """ASVS 4.2.1: safe against request smuggling."""
    request = f"POST /echo HTTP/1.1\r\nHost: auth.example\r\n{head}\r\nConnection: close\r\n\r\n{body}"
    answer = send(door, request.encode())
    assert status_of(answer) == status
    if status == 200:
        assert answer.endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
    ],
)
def test_two_framings_are_refused_and_what_follows_is_not_a_second_request(door: int, head: str) -> None:
    """The HTTP library takes the Content-Length away before the guard sees it, hence 411 and not 400."""
    smuggled = "GET / HTTP/1.1\r\nHost: auth.example\r\n\r\n"
    answer = send(door, f"POST /echo HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n0\r\n\r\n{smuggled}".encode())
    assert status_of(answer) == 411
    assert answer.count(b"HTTP/1.1 ") == 1


def test_two_credentials_are_both_seen(door: int) -> None:
    """RFC 6750 §3.1: were one of them dropped on the way, nobody could refuse the request (`bearer_request`)."""
    twice = "Authorization: Bearer a\r\nAuthorization: Bearer b"
    answer = send(door, f"GET /who HTTP/1.1\r\nHost: a\r\n{twice}\r\nConnection: close\r\n\r\n".encode())
    assert answer.endswith(b"\r\n\r\nBearer a,Bearer b")


def test_a_body_that_breaks_off_is_an_error_and_not_a_shorter_body(door: int) -> None:
    with socket.create_connection(("127.0.0.1", door), timeout=PATIENCE) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\nConnection: close\r\n\r\nhello")
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert status_of(answer) == 400
