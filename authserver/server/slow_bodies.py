"""The deadline for the body of a request.

granian reads a body in the thread of its request, without a deadline. A client that sends a byte now and then could
keep the thread as long as it likes. After the deadline, this file closes the connection for reading, as if the client
had hung up, and the answer is 408.

granian does not say on which connection a request came. It is found by two facts that the kernel knows: the client's
address, and that the server has sent nothing on it since the request began. Only Linux tells for how long. On other
systems the proxy has to keep the deadline (docs/deployment.md).
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
"""How long a body may take, counted from its first read."""

HURRIED_SECONDS: Final = 2.0
"""How long a body may take while so many arrive at once that they occupy a quarter of the threads."""

_LOOK_SECONDS: Final = 0.5
_LATE_STATUS: Final = "408 Request Timeout"
_LAST_DATA_SENT: Final = struct.Struct("44xI")
"""`tcpi_last_data_sent` in Linux's `struct tcp_info`: milliseconds since the last data was sent on the connection."""


class SlowBodies:
    """WSGI middleware that ends slow bodies. `watch` starts its thread.

    Args:
        application: reads the bodies.
        hurried_from: the number of arriving bodies from which `HURRIED_SECONDS` applies.
    """

    def __init__(self, application: "WSGIApplication", hurried_from: int) -> None:
        """Store the arguments; the thread is not started yet."""
        self._application = application
        self._hurried_from = hurried_from
        self._arriving: set[_Body] = set()

    def watch(self) -> None:
        """Start the thread that ends late bodies. It does nothing on systems other than Linux."""
        if sys.platform == "linux":
            threading.Thread(target=self._watch, name="slow bodies", daemon=True).start()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        """Answer one request, with 408 if its body was late."""
        if environ.get("CONTENT_LENGTH", "0") == "0":
            return self._application(environ, start_response)
        body = _Body(environ["wsgi.input"], environ.get("REMOTE_ADDR", ""), self._arriving)
        environ["wsgi.input"] = body

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:  # noqa: ANN401 - as in PEP 3333
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
                body.was_cut = True  # mark all first: closing the connections of one peer may end several bodies
            for peer in {body.peer for body in late}:
                _hang_up(peer, patience)


class _Body:
    """The `wsgi.input` of a request, with the time since its first read."""

    def __init__(self, inner: Any, peer: str, arriving: "set[_Body]") -> None:  # noqa: ANN401 - granian's type
        self._inner = inner
        self._arriving = arriving
        self._began_at = 0.0
        self.peer = peer
        self.was_cut = False

    def age(self) -> float:
        """Seconds since the first read."""
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

    def _wait(self, read: Callable[..., Any], *arguments: int) -> Any:  # noqa: ANN401 - the type that `read` returns
        self._began_at = self._began_at or SystemClock().monotonic()
        self._arriving.add(self)
        try:
            return read(*arguments)
        finally:
            self._arriving.discard(self)


def _hang_up(peer: str, seconds: float) -> None:
    """Close for reading each connection to `peer` on which the server has sent nothing for `seconds`."""
    for file in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the descriptor has just been closed, or is no connection
            if stat.S_ISSOCK(file.stat().st_mode):
                _hang_up_if_it_is(int(file.name), peer, seconds)


def _hang_up_if_it_is(number: int, peer: str, seconds: float) -> None:
    # Work on a copy of the descriptor: the original may be closed at any time and its number reused.
    with socket.socket(fileno=os.dup(number)) as connection:
        if connection.type != socket.SOCK_STREAM or connection.family not in {socket.AF_INET, socket.AF_INET6}:
            return
        if connection.getpeername()[0] != peer:
            return
        information = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_SENT.size)
        (milliseconds,) = _LAST_DATA_SENT.unpack(information)
        if milliseconds >= seconds * 1000:
            connection.shutdown(socket.SHUT_RD)
