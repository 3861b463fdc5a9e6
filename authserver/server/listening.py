"""The sockets that workers listen on, opened before any of them starts."""

import socket
import sys
from dataclasses import dataclass
from typing import Final

BACKLOG: Final = 4096


@dataclass(frozen=True, slots=True)
class Serving:
    """Where and with how much to serve. `keep_alive`: seconds for which a connection may be idle."""

    host: str
    port: int
    workers: int
    threads: int
    keep_alive: int


class PortTakenError(Exception):
    """The address cannot be listened on; the text says which one and why."""


def listen(serving: Serving) -> tuple[socket.socket, ...]:
    """A listening socket for each worker, or `PortTakenError`: before any worker is started.

    Linux deals connections out among sockets of one port. With one socket for all workers, the one that wakes first
    takes whatever waits, and one process may do all the work while the others sleep; so it is elsewhere.
    """
    try:
        first = _create_listener(serving)
        if serving.workers == 1 or sys.platform != "linux":
            return (first,) * serving.workers
        # Only now: on a port that could be shared from the beginning, nobody would notice who else is on it.
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return (first, *(_create_listener(serving, reuse_port=True) for _ in range(serving.workers - 1)))
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        raise PortTakenError(f"cannot listen on {serving.host} port {serving.port}: {reason}") from None


def _create_listener(serving: Serving, *, reuse_port: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in serving.host else socket.AF_INET
    listener = socket.create_server(
        (serving.host, serving.port),
        family=family,
        backlog=BACKLOG,
        reuse_port=reuse_port,
        dualstack_ipv6=serving.host == "::" and socket.has_dualstack_ipv6(),
    )
    # Connections inherit it. Without it the body of an answer waits 40 ms for the acknowledgement of its header.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setblocking(False)
    return listener
