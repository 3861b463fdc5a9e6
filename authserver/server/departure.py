"""The end of a worker: it first answers the requests on connections that it has accepted.

A worker of granian would close connections that it has accepted but not read yet.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_LAST_CALL_SECONDS: Final = 0.2
_LAST_WORD_SECONDS: Final = 0.1


class Told(Protocol):
    """An event that granian waits for before it ends."""

    def set(self) -> None: ...  # noqa: D102 - that of `threading.Event`


class Departure:
    """Ends a worker in three phases, before granian hears of the signal.

    When granian ends, it closes every connection from which it has read nothing new, although a request may have
    arrived on it. So the worker does three things first. Each answer says `Connection: close`. Then the worker accepts
    no more connections. Then it waits, so that clients on accepted connections can send their requests. Only then it
    passes the signal to granian. A client that sends its next request on a kept connection even later may find it
    closed, as with every server (RFC 9112 §9.5).
    """

    def __init__(
        self,
        application: "WSGIApplication",
        listener: int,
        told: "Told",
        hear: "Callable[[Callable[[int, object], None]], object]",
    ) -> None:
        """Store the arguments; nothing starts yet.

        Args:
            application: answers the requests.
            listener: the descriptor of the socket on which this worker listens.
            told: the event that granian waits for.
            hear: installs a handler for SIGTERM and SIGINT.
        """
        self._application = application
        self._listener = listener
        self._told = told
        self._hear = hear
        self._leaving = False

    def await_signal(self) -> "Told":
        """Install the handler for SIGTERM and SIGINT, and return the event that granian waits for instead of them."""
        self._hear(self._leave)
        return self._told

    def answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        """Answer one request. Once the worker is ending, the answer closes its connection."""
        if not self._leaving:
            return self._application(environ, start_response)

        def start_last(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:  # noqa: ANN401 - as in PEP 3333
            return start_response(status, [*headers, ("Connection", "close")], *error)

        return self._application(environ, start_last)

    def _leave(self, _signal: int, _frame: object) -> None:
        if not self._leaving:
            self._leaving = True
            threading.Thread(target=self._close_doors, daemon=True).start()

    def _close_doors(self) -> None:
        time.sleep(_LAST_CALL_SECONDS)
        # A worker without a free file descriptor goes on accepting connections, and ends all the same.
        with suppress(OSError), socket.create_server(("127.0.0.1", 0)) as blind:
            blind.setblocking(False)
            # The listening socket must stay open for the next worker. So this worker's descriptor gets another socket,
            # on a port that nobody knows.
            os.dup2(blind.fileno(), self._listener)
        time.sleep(_LAST_WORD_SECONDS)
        self._told.set()
