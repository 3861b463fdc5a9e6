"""Runs the worker processes: starts them, replaces the ones that die, drains them at the end.

What is granian's, and changed, is `supervisor`. A worker that is told to end, stands still, or is kept by a client has
files of its own (`departure`, `pulse`, `slow_bodies`).
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
        listeners: What `listen` returned; closed when this returns.
        serving: Numbers of workers and threads.
        load: Builds the application; called in each worker, so that no connection crosses a fork.
        announce: Called once, when the first worker is ready.

    Raises:
        SystemExit: With status 1, when a worker ends before any was ready: the application does not load.
    """
    supervisor = Supervisor(listeners, serving, load, announce)
    supervisor.serve(target_loader=supervisor.begin_worker, wrap_loader=False)
