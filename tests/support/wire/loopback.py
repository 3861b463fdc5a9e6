"""A real HTTP server on loopback. The test sets its answer, and it keeps the paths of requests."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    """A request; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()


@dataclass
class LoopbackServer:
    """A server at `url`. It answers with `answer`, or if that is None with `status`, `headers` and `body`.

    While `gate` is not set, requests are counted but not answered.
    """

    url: str = ""
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    answer: Callable[[Asked], Reply] | None = None
    drip: float | None = None
    """Seconds between two bytes of the answer."""

    def reply(self, request: BaseHTTPRequestHandler) -> Reply:
        """Choose the answer to `request`."""
        if self.answer is None:
            return Reply(self.body, self.status, self.headers)
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = request.rfile.read(int(headers.get("content-length", "0")))
        return self.answer(Asked(request.command, request.path, headers, body))

    @property
    def hits(self) -> int:
        return len(self.paths)


@contextmanager
def running_server(tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[LoopbackServer]:
    """Run a server during the block, at `port`, or at a port that is free."""
    state = LoopbackServer()
    state.gate.set()
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.paths.append(self.path)
            state.gate.wait(timeout=20)
            reply = state.reply(self)
            answer = f"HTTP/1.0 {reply.status} x\r\n"
            answer += "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
            answer += "".join(f"Set-Cookie: {cookie}\r\n" for cookie in reply.cookies)
            self._send(f"{answer}\r\n".encode() + reply.body)

        do_POST = do_OPTIONS = do_GET  # noqa: N815 - the names that the library looks for

        def _send(self, data: bytes) -> None:
            try:
                if state.drip is None:
                    self.wfile.write(data)
                    return
                for byte in data:
                    if over.wait(timeout=state.drip):
                        return
                    self.wfile.write(bytes([byte]))
            except OSError:
                pass  # who asked has gone

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a refused TLS handshake

    server = Server(("127.0.0.1", port), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    state.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        over.set()
        state.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
