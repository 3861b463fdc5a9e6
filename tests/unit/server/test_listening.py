"""The listening sockets, before any worker."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from authserver.server.listening import PortTakenError, Serving, listen
from tests.support.world.processes import free_port


@contextmanager
def listening(workers: int) -> Iterator[tuple[Serving, tuple[socket.socket, ...]]]:
    serving = Serving("127.0.0.1", free_port(), workers=workers, threads=1, keep_alive=5)
    with ExitStack() as stack:
        listeners = listen(serving)
        for listener in listeners:
            stack.enter_context(listener)
        yield serving, listeners


def accept_all(listener: socket.socket) -> list[socket.socket]:
    accepted = []
    while True:
        try:
            accepted.append(listener.accept()[0])
        except BlockingIOError:
            return accepted


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_first_half(workers: int) -> None:
    """Header and body of an answer leave in two packets, and the other side acknowledges one only after 40 ms."""
    with listening(workers) as (serving, listeners), ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection((serving.host, serving.port)))
        for connection in [one for listener in listeners for one in accept_all(listener)]:
            with connection:
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_connections_are_dealt_out_among_the_workers() -> None:
    """Else the worker that wakes first takes all that waits, and may end up serving alone."""
    with listening(2) as (serving, listeners), ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(socket.create_connection((serving.host, serving.port)))
        counts = []
        for listener in listeners:
            accepted = accept_all(listener)
            counts.append(len(accepted))
            for connection in accepted:
                connection.close()
        assert sum(counts) == 100
        assert min(counts) > 10, "one in a quadrillion runs of a fair deal"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("others", [1, 2])
def test_a_port_on_which_another_server_listens_is_taken(workers: int, others: int) -> None:
    with listening(others) as (other, _), pytest.raises(PortTakenError, match="Address already in use"):
        listen(Serving(other.host, other.port, workers, threads=1, keep_alive=5))


def test_all_addresses_are_those_of_both_families() -> None:
    """`--host ::` alone would be deaf to every client that has IPv4 only."""
    serving = Serving("::", free_port(), workers=1, threads=1, keep_alive=5)
    (listener,) = listen(serving)
    with listener:
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, serving.port), timeout=10).close()
