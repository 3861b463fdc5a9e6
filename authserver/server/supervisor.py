"""A changed supervisor of granian. All uses of granian's private members are in this file.

granian handles the HTTP. Its own supervisor would take the service down: it gives up when a worker dies twice within
seconds, it can miss the death of a worker, and its sockets lose the connections that wait for a killed worker. Here the
listening sockets outlive every worker, and every dead worker is replaced.

Private members of granian may change in any release. This file was written for the releases in `READ_IN`, and
`tests/unit/server/test_supervisor.py` fails if something does not fit another release.
"""

import os
import resource
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from granian import _signals
from granian._granian import SocketHolder, WorkerSignal
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels, logger
from granian.server.mp import MPServer

from authserver.clock import SystemClock
from authserver.server.departure import Departure
from authserver.server.last_doors import refuse_newcomers
from authserver.server.listening import BACKLOG, Serving
from authserver.server.pulse import BEAT_SECONDS, FROZEN_SECONDS, Pulse
from authserver.server.slow_bodies import SlowBodies

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

READ_IN: Final = ">=2.8.7,<2.9"
"""The releases of granian for whose supervisor this file was written."""

_CONNECTIONS_MOST: Final = 4096
_FILES_BESIDE: Final = 256
_DRAIN_SECONDS: Final = 10
_HEADERS_MOST_BYTES: Final = 16 * 1024
_SHORTEST_LIFE_SECONDS: Final = 1.0
_DEAF_SECONDS: Final = 0.5
_PROCESS_ID: Final = struct.Struct("i")
_LOGGING: Final = {
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "generic", "stream": "ext://sys.stderr"}},
    "loggers": {"_granian": {"handlers": ["console"], "propagate": False}},
}


class _Bell:
    """An event over a pipe. A `threading.Event` may deadlock if a signal handler sets it while its owner waits."""

    def __init__(self) -> None:
        self._hear, self._ring = os.pipe()
        os.set_blocking(self._hear, False)
        os.set_blocking(self._ring, False)

    def set(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._ring, b"!")

    def wait(self) -> None:
        select.select([self._hear], [], [])

    def clear(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._hear, 4096)


def _limit_connections(serving: Serving) -> HTTP1Settings:
    # The time-out counts from the previous answer, so it limits idle connections, too. granian has no other limit for
    # either.
    return HTTP1Settings(header_read_timeout=serving.keep_alive * 1000, max_buffer_size=_HEADERS_MOST_BYTES)


class Supervisor(MPServer):
    """The parent of the workers. Its `serve` returns when all of them have ended."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        serving: Serving,
        load: "Callable[[], WSGIApplication]",
        announce: Callable[[], None],
    ) -> None:
        """Configure granian; start nothing yet. `serving.serve` describes the arguments."""
        super().__init__(
            "authserver",
            address=serving.host,
            port=serving.port,
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,
            http1_settings=_limit_connections(serving),
            websockets=False,
            workers=serving.workers,
            blocking_threads=serving.threads,
            blocking_threads_idle_timeout=600,
            backlog=BACKLOG,
            # The limit of connections, most of which are idle. With granian's default the next client would wait until
            # one of them is closed. `web.edge.crowd` limits the requests.
            backpressure=_count_connections(),
            workers_kill_timeout=_DRAIN_SECONDS,
            log_level=LogLevels.error,
            log_dictconfig=_LOGGING,
        )
        self._has_been_ready = False
        self._ready_at: dict[int, float] = {}
        self._listeners = listeners
        self._door = -1
        self._load = load
        self._announce = announce
        self.main_loop_interrupt = _Bell()  # type: ignore[assignment]
        self._lifeline, self._held_by_parent = os.pipe()
        self._hear_ready, self._tell_ready = os.pipe()
        self._pulse = Pulse()

    def begin_worker(self) -> "WSGIApplication":
        """Become a worker, right after the fork, and build its application."""
        # A Ctrl-C must reach only the parent, which drains the workers. Until granian takes over, SIGTERM simply ends
        # this process.
        os.setpgrp()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.close(self._held_by_parent)
        for listener in self._listeners:
            if listener.fileno() != self._door:
                listener.close()  # else the sockets of other workers would stay open here after those workers end
        threading.Thread(target=_end_with_parent, args=(self._lifeline,), daemon=True).start()
        self._pulse.beat()
        application = SlowBodies(self._load(), hurried_from=max(self.blocking_threads // 4, 1))
        application.watch()
        departure = Departure(application, self._door, WorkerSignal(), _signals.set_main_signals)
        _signals.set_sync_signals = departure.await_signal  # granian reads it right after this
        os.write(self._tell_ready, _PROCESS_ID.pack(os.getpid()))
        return departure.answer

    def startup(self, spawn_target: Any, target_loader: Any) -> None:  # noqa: ANN401 - granian's own types
        """Start all workers, and follow their readiness and their heartbeats."""
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        threading.Thread(target=self._follow_ready, daemon=True).start()
        threading.Thread(target=self._follow_pulse, daemon=True).start()

    def _follow_ready(self) -> None:
        while told := os.read(self._hear_ready, _PROCESS_ID.size):
            self._ready_at[_PROCESS_ID.unpack(told)[0]] = SystemClock().monotonic()
            if not self._has_been_ready:
                self._has_been_ready = True
                self._announce()

    def _follow_pulse(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            workers = {worker._id(): worker for worker in tuple(self.wrks)}  # type: ignore[no-untyped-call]  # noqa: SLF001 - the process id
            for pid in self._pulse.find_frozen(workers):
                logger.error(f"worker {pid} has not responded for {FROZEN_SECONDS:.0f} s and is replaced")
                workers[pid].inner.kill()  # not granian's `kill`, after which it would not replace the worker

    def _init_shared_socket(self) -> None:
        self._ssp = None

    def _drop_shared_socket(self) -> None:
        for listener in self._listeners:
            refuse_newcomers(listener)
            listener.close()  # the workers keep their copies, and answer the waiting connections before they end

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:  # type: ignore[override]  # noqa: ANN401 - granian's own types
        # With granian each worker opens its own socket, and the connections waiting in it are reset if the worker is
        # killed. Here they wait for the next worker with the same number, because this process keeps every socket open.
        self._sso = self._listeners[idx]
        self._door = self._listeners[idx].fileno()
        self._shd = SocketHolder(self._door, False, BACKLOG)  # type: ignore[assignment,call-arg]
        return super()._spawn_worker(idx, target, callback_loader)

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:  # noqa: ANN401 - granian's own types
        while not self.interrupt_signal:
            self.main_loop_interrupt.wait()
            self.main_loop_interrupt.clear()
            while self.interrupt_children and not self.interrupt_signal:
                if not self._has_been_ready:
                    return
                self._replace(self.interrupt_children.pop(0), spawn_target, target_loader)
            if self.reload_signal and not self.interrupt_signal:
                self._reload(spawn_target, target_loader)  # type: ignore[no-untyped-call]
                self.main_loop_interrupt.set()  # `_reload` clears the event, and may so hide a worker's death

    def _stop_workers(self) -> None:
        for worker in self.wrks:
            if worker._id() not in self._ready_at:  # type: ignore[no-untyped-call]  # noqa: SLF001 - the process id
                # It has accepted nothing yet, and SIGTERM can be lost between the fork and readiness.
                worker.kill()  # type: ignore[no-untyped-call]
        # SIGTERM can be lost right after readiness, too. The worker would then be killed after the drain time, together
        # with its requests.
        latest = max(self._ready_at.values(), default=0.0)
        time.sleep(max(0.0, latest + _DEAF_SECONDS - SystemClock().monotonic()))
        super()._stop_workers()  # type: ignore[no-untyped-call]
        if self.interrupt_signal:
            # A worker that died during the shutdown does not make it a failure, even if that was noticed late.
            self.interrupt_children.clear()

    def _replace(self, index: int, spawn_target: Any, target_loader: Any) -> None:  # noqa: ANN401 - granian's own types
        # Limits the rate: a worker that dies at once, again and again, must not occupy a core.
        time.sleep(max(0.0, self.wrks[index].birth + _SHORTEST_LIFE_SECONDS - SystemClock().monotonic()))
        self._respawn_workers([index], spawn_target, target_loader)


def _count_connections() -> int:
    """Raise the limit of open files if possible, and compute how many connections a worker may hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS_MOST + _FILES_BESIDE
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):  # the system may have another limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(min(_CONNECTIONS_MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _FILES_BESIDE), 1)


def _end_with_parent(lifeline: int) -> None:
    # Only the parent holds the other end. It ends when the parent dies, even by SIGKILL.
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)
