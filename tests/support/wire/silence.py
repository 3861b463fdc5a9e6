"""A PostgreSQL that can fall silent: a proxy in front of it keeps connections open but passes nothing on."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg.conninfo
from sqlalchemy.engine import make_url

_TICK_SECONDS = 0.05


class Silence:
    """The proxy. `url` leads through it, `direct_url` does not.

    While `silent` is set, nothing passes. While `deaf` is set, the database gets everything, and its answers are held.
    """

    def __init__(self, url: str) -> None:
        """Listen, in front of the database at `url`."""
        parsed = make_url(url)
        parameters = psycopg.conninfo.conninfo_to_dict(parsed.render_as_string(hide_password=False))
        self._target = (str(parameters.get("host") or parsed.host), int(parameters.get("port") or 5432))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.silent = threading.Event()
        self.deaf = threading.Event()
        self.direct_url = url
        self._ended = threading.Event()
        self.url = parsed.set(query={}, host="127.0.0.1", port=self._listener.getsockname()[1]).render_as_string(
            hide_password=False
        )
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening, and pass on what is held."""
        self._ended.set()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        server = self._connect()
        for source, sink, kept in ((client, server, (self.silent,)), (server, client, (self.silent, self.deaf))):
            threading.Thread(target=self._pump, args=(source, sink, kept), daemon=True).start()

    def _connect(self) -> socket.socket:
        host, port = self._target
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _pump(self, source: socket.socket, sink: socket.socket, kept: tuple[threading.Event, ...]) -> None:
        with suppress(OSError), source, sink:
            while part := source.recv(65536):
                while any(one.is_set() for one in kept) and not self._ended.wait(_TICK_SECONDS):
                    pass
                sink.sendall(part)


@contextmanager
def silenceable(url: str) -> Iterator[Silence]:
    """Run a proxy during the block."""
    proxy = Silence(url)
    try:
        yield proxy
    finally:
        proxy.close()
