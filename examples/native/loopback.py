"""The redirect to this machine (RFC 8252 §7.3): a server on loopback that waits for one answer."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from secrets import compare_digest
from threading import Thread
from typing import Self
from urllib.parse import parse_qsl, urlsplit

PATH = "/callback"


class Answers(BaseHTTPRequestHandler):
    """Takes the answer with the right `state`. Everything else, from whatever page or program, changes nothing."""

    server: "Loopback"
    timeout = 10

    def do_GET(self) -> None:
        """Show a page first, so that the browser has it when the program ends."""
        url = urlsplit(self.path)
        answer = dict(parse_qsl(url.query))
        if url.path != PATH:
            self._show(404, "There is nothing here.")
        elif not compare_digest(answer.get("state", "").encode(), self.server.state.encode()):
            self._show(400, "Nobody waits for this answer. Start again in the terminal.")
        else:
            self._show(200, "Return to the terminal. You can close this page.")
            self.server.answers.put(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Write no log: the address of the request has the code in it."""

    def _show(self, status: int, sentence: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(sentence)))
        self.end_headers()
        self.wfile.write(sentence.encode())


class Loopback(ThreadingHTTPServer):
    """Listens on 127.0.0.1 at a port that the system chooses, during a block.

    Each connection has a thread, because browsers open spare ones and send nothing there.
    """

    daemon_threads = True
    allow_reuse_address = False  # on Windows it would let another program listen at the same port

    def __init__(self, state: str) -> None:
        """Listen. Only an answer with this `state` counts."""
        super().__init__(("127.0.0.1", 0), Answers)
        self.state = state
        self.answers: SimpleQueue[dict[str, str]] = SimpleQueue()

    def __enter__(self) -> Self:
        """Answer in the background."""
        Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no longer."""
        self.shutdown()
        self.server_close()

    @property
    def redirect_uri(self) -> str:
        """Where the browser brings the answer."""
        return f"http://127.0.0.1:{self.server_port}{PATH}"

    def wait(self, seconds: float) -> dict[str, str]:
        """Return the parameters of the answer, or raise TimeoutError."""
        try:
            return self.answers.get(timeout=seconds)
        except Empty:
            raise TimeoutError from None
