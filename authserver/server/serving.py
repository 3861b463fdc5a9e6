"""Runs the worker processes: starts them, replaces those that die, and drains them at the end.

`supervisor` holds everything that changes granian. Other files handle a worker that ends (`departure`), is frozen
(`pulse`), or is blocked by a slow client (`slow_bodies`).
"""

import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from authserver.server.listening import Serving
from authserver.server.supervisor import Supervisor

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def serve(
    listeners: Sequence[socket.socket],
    serving: Serving,
    load: "Callable[[], WSGIApplication]",
    announce: Callable[[], None],
) -> None:
    """Serve until SIGTERM or SIGINT, then let requests in flight finish for 10 s.

    Args:
        listeners: the sockets that `listen` returned. They are closed when this returns.
        serving: the numbers of workers and threads.
        load: builds the application. It is called in each worker, so that no connection crosses a fork.
        announce: is called once, when the first worker is ready.

    Raises:
        SystemExit: with status 1, if a worker ends before any was ready, because the application does not load.
    """
    supervisor = Supervisor(listeners, serving, load, announce)
    supervisor.serve(target_loader=supervisor.begin_worker, wrap_loader=False)
