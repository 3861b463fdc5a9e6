"""How a worker that is told to end leaves: it hears first who was let in.

A worker of granian's closes what it has accepted and not read yet.
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
    """An event that granian waits for."""

    def set(self) -> None: ...  # noqa: D102 - as of `threading.Event`


class Departure:
    """How a worker that is told to end leaves: last call, doors closed, last word.

    Told to end, granian closes every connection of which it has read nothing new, though a request may have arrived
    meanwhile. So each answer first asks its client to come back on another connection; then nobody new is let in, and
    who was in gets the time to say what he came for. Only now granian is told. A client that kept silent until then, on
    a connection that he had kept, may find it closed as he speaks up, as with every server (RFC 9112 §9.5).
    """

    def __init__(
        self,
        application: "WSGIApplication",
        listener: int,
        told: "Told",
        hear: "Callable[[Callable[[int, object], None]], object]",
    ) -> None:
        """Begin nothing.

        Args:
            application: what answers.
            listener: the number of the socket that this worker listens on.
            told: what granian waits for.
            hear: hands SIGTERM and SIGINT to a handler.
        """
        self._application = application
        self._listener = listener
        self._told = told
        self._hear = hear
        self._leaving = False

    def await_signal(self) -> "Told":
        """What granian waits for, in place of SIGTERM and SIGINT."""
        self._hear(self._leave)
        return self._told

    def answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        """One request."""
        if not self._leaving:
            return self._application(environ, start_response)

        def start_last(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:  # noqa: ANN401 - PEP 3333's
            return start_response(status, [*headers, ("Connection", "close")], *error)

        return self._application(environ, start_last)

    def _leave(self, _signal: int, _frame: object) -> None:
        if not self._leaving:
            self._leaving = True
            threading.Thread(target=self._close_doors, daemon=True).start()

    def _close_doors(self) -> None:
        time.sleep(_LAST_CALL_SECONDS)
        # A worker without a free file descriptor keeps its doors open, and ends all the same.
        with suppress(OSError), socket.create_server(("127.0.0.1", 0)) as blind:
            blind.setblocking(False)
            # The socket must stay open for the next worker; what this one takes for it is a door that nobody knows.
            os.dup2(blind.fileno(), self._listener)
        time.sleep(_LAST_WORD_SECONDS)
        self._told.set()
