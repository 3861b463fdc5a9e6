"""The deadline for the body of a request.

granian reads a body in the thread that works on its request, and has no deadline for it: whoever sends a byte now and
then keeps the thread for as long as they like. Here the connection is closed for reading, as if the client had hung up,
and the answer is 408.

granian does not say which connection a request came on. But on that connection nothing was sent since the request
began, and from the same address; the kernel knows both. (Only Linux tells for how long. Elsewhere the proxy in front
has to keep the deadline; see docs/deployment.md.)
"""

import os
import socket
import stat
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from authserver.clock import SystemClock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BODY_SECONDS: Final = 10.0
"""What a body may take, from the end of the header on."""

HURRIED_SECONDS: Final = 2.0
"""What it may take while so many arrive at once that they keep a quarter of the threads."""

_LOOK_SECONDS: Final = 0.5
_LATE_STATUS: Final = "408 Request Timeout"
_LAST_DATA_SENT: Final = struct.Struct("44xI")
"""`tcpi_last_data_sent` in Linux's `struct tcp_info`: milliseconds since anything was sent on the connection."""


class SlowBodies:
    """Stands before `application` in a worker; `watch` starts its thread.

    Args:
        application: what reads the bodies.
        hurried_from: how many bodies may be on their way before `HURRIED_SECONDS` counts.
    """

    def __init__(self, application: "WSGIApplication", hurried_from: int) -> None:
        """Watch nothing yet."""
        self._application = application
        self._hurried_from = hurried_from
        self._arriving: set[_Body] = set()

    def watch(self) -> None:
        """Cut what is late, from now on."""
        if sys.platform == "linux":
            threading.Thread(target=self._watch, name="slow bodies", daemon=True).start()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        """One request."""
        if environ.get("CONTENT_LENGTH", "0") == "0":
            return self._application(environ, start_response)
        body = _Body(environ["wsgi.input"], environ.get("REMOTE_ADDR", ""), self._arriving)
        environ["wsgi.input"] = body

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:  # noqa: ANN401 - PEP 3333's
            if not body.was_cut:
                return start_response(status, headers, *error)
            return start_response(_LATE_STATUS, [*headers, ("Connection", "close")], *error)

        return self._application(environ, start)

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            arriving = list(self._arriving)
            patience = HURRIED_SECONDS if len(arriving) >= self._hurried_from else BODY_SECONDS
            late = [body for body in arriving if body.age() > patience]
            for body in late:
                body.was_cut = True  # all of them first: hanging up on one peer may end several
            for peer in {body.peer for body in late}:
                _hang_up(peer, patience)


class _Body:
    """`wsgi.input`, which knows since when it is waited for."""

    def __init__(self, inner: Any, peer: str, arriving: "set[_Body]") -> None:  # noqa: ANN401 - granian's
        self._inner = inner
        self._arriving = arriving
        self._began_at = 0.0
        self.peer = peer
        self.was_cut = False

    def age(self) -> float:
        """For how many seconds it has been arriving."""
        return SystemClock().monotonic() - self._began_at

    def read(self, *size: int) -> bytes:
        data: bytes = self._wait(self._inner.read, *size)
        return data

    def readline(self, *size: int) -> bytes:
        data: bytes = self._wait(self._inner.readline, *size)
        return data

    def readlines(self, *hint: int) -> list[bytes]:
        data: list[bytes] = self._wait(self._inner.readlines, *hint)
        return data

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readlines())

    def _wait(self, read: Callable[..., Any], *arguments: int) -> Any:  # noqa: ANN401 - what it reads
        self._began_at = self._began_at or SystemClock().monotonic()
        self._arriving.add(self)
        try:
            return read(*arguments)
        finally:
            self._arriving.discard(self)


def _hang_up(peer: str, seconds: float) -> None:
    """Close for reading what is connected to `peer` and has sent nothing for so long."""
    for file in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # it has just been closed, or is no connection
            if stat.S_ISSOCK(file.stat().st_mode):
                _hang_up_if_it_is(int(file.name), peer, seconds)


def _hang_up_if_it_is(number: int, peer: str, seconds: float) -> None:
    # Of a copy, which stays what it is when the number is closed and given to another connection.
    with socket.socket(fileno=os.dup(number)) as connection:
        if connection.type != socket.SOCK_STREAM or connection.family not in {socket.AF_INET, socket.AF_INET6}:
            return
        if connection.getpeername()[0] != peer:
            return
        information = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_SENT.size)
        (milliseconds,) = _LAST_DATA_SENT.unpack(information)
        if milliseconds >= seconds * 1000:
            connection.shutdown(socket.SHUT_RD)
