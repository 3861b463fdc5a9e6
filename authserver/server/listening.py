"""The listening sockets of the workers, opened before any worker starts."""

import socket
import sys
from dataclasses import dataclass
from typing import Final

BACKLOG: Final = 4096


@dataclass(frozen=True, slots=True)
class Serving:
    """The address, and the numbers of workers and threads. `keep_alive`: seconds for which a connection may be idle."""

    host: str
    port: int
    workers: int
    threads: int
    keep_alive: int


class PortTakenError(Exception):
    """The server cannot listen on the address. The message names the address and the reason."""


def listen(serving: Serving) -> tuple[socket.socket, ...]:
    """Open a listening socket for each worker, before any worker starts.

    Linux distributes connections among the sockets of one port. On other systems all workers share one socket. There
    the worker that wakes first takes all waiting connections, and may do all the work while the others sleep.

    Raises:
        PortTakenError: the server cannot listen on the address.
    """
    try:
        first = _create_listener(serving)
        if serving.workers == 1 or sys.platform != "linux":
            return (first,) * serving.workers
        # Set after the first bind. Otherwise the bind would succeed although another program uses the port.
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
    # Connections inherit this option. Without it the body of an answer waits 40 ms for the acknowledgement of its
    # header.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setblocking(False)
    return listener
