"""A resource server with only the verifier, for the benchmark of propagation. It answers 204 or 401."""

import os
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from authserver.verifier import InvalidToken, Verifier

_PREFIX = "BENCH_"


class Handler(BaseHTTPRequestHandler):
    """Answers whether the token is accepted."""

    protocol_version = "HTTP/1.1"
    verifier: Verifier

    def do_GET(self) -> None:
        """Verify the bearer token of the request."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            self.verifier.verify(token)
        except InvalidToken as refused:
            self._answer(HTTPStatus(refused.status))
        else:
            self._answer(HTTPStatus.NO_CONTENT)

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing, because writing would be measured, too."""


def main() -> None:
    """Serve until terminated."""
    issuer, client_id, client_secret, port = (
        os.environ[_PREFIX + name] for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "PORT")
    )
    Handler.verifier = Verifier(issuer, f"{issuer}/api", client_id, client_secret)
    ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
