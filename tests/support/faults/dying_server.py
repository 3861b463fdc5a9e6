"""A server whose workers die where a test says: `serving(…, program=dying_server.serve_dying)`.

`die_once` chooses the moment: right before the application gets the next request for a path, or after its work and
before the answer is sent. One worker then ends as by `kill -9`.
"""

import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from authserver.app import create_app
from authserver.assembly import SYSTEM_ENTROPY
from authserver.clock import SystemClock
from authserver.config import load_settings
from tests.support.world.moved_server import run
from tests.support.world.server import Installation

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Moment = Literal["before", "after"]


def die_once(installation: Installation, moment: Moment, path: str) -> None:
    """Let the worker die that gets the next request for `path`."""
    file = _orders(Path(installation.settings["HOME"]), moment, path)
    file.touch()


def serve_dying() -> None:
    """Run the server; the program of its process."""
    run(load)


def load() -> "WSGIApplication":
    """Load the application, behind a layer that kills the worker."""
    settings = load_settings()
    app = create_app(settings, clock=SystemClock(), entropy=SYSTEM_ENTROPY)

    def obeying(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        _obey(_orders(settings.home, "before", path))
        answer = list(app(environ, start_response))
        _obey(_orders(settings.home, "after", path))
        return answer

    return obeying


def _orders(home: Path, moment: Moment, path: str) -> Path:
    return home / f"die-{moment}{path.replace('/', '-')}"


def _obey(orders: Path) -> None:
    try:
        orders.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
