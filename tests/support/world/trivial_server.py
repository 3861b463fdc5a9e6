"""A server under test with a trivial application: `python -m tests.support.world.trivial_server PORT WORKERS`."""

import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import flask

from authserver.server.listening import PortTakenError, Serving, listen
from authserver.server.serving import serve
from authserver.web.edge.guard import guard


def load() -> Callable[..., Iterable[bytes]]:
    """Load an application: `/` returns the process id, `/echo` the body, `/who` the credentials; `/slow` takes 1 s."""
    if os.environ.get("FAIL_TO_LOAD"):
        raise RuntimeError("this application does not load")
    app = flask.Flask("trivial")

    @app.get("/")
    def pid() -> str:
        return str(os.getpid())

    @app.get("/slow")
    def slow() -> str:
        time.sleep(1)
        return "finished"

    @app.post("/echo")
    def echo() -> bytes:
        return flask.request.get_data()

    @app.get("/who")
    def who() -> str:
        return flask.request.headers.get("Authorization", "")

    wrapped: Any = guard(app.wsgi_app)
    return wrapped  # type: ignore[no-any-return]


def _announce() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def main() -> int:
    """Serve until a signal to stop."""
    serving = Serving(
        "127.0.0.1",
        int(sys.argv[1]),
        workers=int(sys.argv[2]),
        threads=int(os.environ.get("THREADS", "4")),
        keep_alive=int(os.environ.get("KEEP_ALIVE", "75")),
    )
    try:
        listeners = listen(serving)
    except PortTakenError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    serve(listeners, serving, load, _announce)
    return 0


if __name__ == "__main__":
    sys.exit(main())
