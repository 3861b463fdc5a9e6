"""An application behind a real socket, in this process: its clock and its database are those of the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override
from werkzeug.serving import WSGIRequestHandler, make_server

from authserver.web.application import Application


@contextmanager
def served(app: Application, port: int) -> Iterator[str]:
    """Serve `app` in this process; the URL."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Silent(WSGIRequestHandler):
    """Does not fill the output of the tests."""

    @override
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""
