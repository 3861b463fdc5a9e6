"""A server whose clock a test moves: `serving(…, program=moved_server.serve_moved)`.

Settings come from the environment, as for `authserver serve`. The offset from the machine's clock, in seconds, is in
the file `offset` in AUTHSERVER_HOME; without the file, it is 0. The product itself has no such setting.
"""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authserver.app import create_app
from authserver.assembly import SYSTEM_ENTROPY
from authserver.clock import SystemClock
from authserver.config import load_settings
from authserver.server.listening import Serving, listen
from authserver.server.serving import serve
from tests.support.world.server import Installation

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIApplication

_FILE: Final = "offset"


class OffsetClock(SystemClock):
    """The machine's clock, moved by the offset in a file."""

    def __init__(self, file: Path) -> None:
        """Read `file` at each reading of the time."""
        self._file = file

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def seconds(self) -> float:
        """See `Clock.seconds`."""
        return super().seconds() + self._offset()

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return super().monotonic() + self._offset()

    def _offset(self) -> float:
        try:
            return float(self._file.read_text())
        except FileNotFoundError:
            return 0.0


def let_pass(installation: Installation, by: timedelta) -> None:
    """Let time pass for the server of `installation`."""
    file = Path(installation.settings["HOME"]) / _FILE
    passed = float(file.read_text()) if file.exists() else 0.0
    draft = file.with_suffix(".draft")
    draft.write_text(str(passed + by.total_seconds()))
    draft.replace(file)


def load() -> "WSGIApplication":
    """Load the application with the moved clock."""
    settings = load_settings()
    return create_app(settings, clock=OffsetClock(settings.home / _FILE), entropy=SYSTEM_ENTROPY)


def serve_moved() -> None:
    """Run the server; the program of its process."""
    run(load)


def run(load: "Callable[[], WSGIApplication]") -> None:
    """Serve the application of `load` until a signal to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    arguments = parser.parse_args()
    serving = Serving("127.0.0.1", arguments.port, arguments.workers, load_settings().threads, keep_alive=75)
    serve(listen(serving), serving, load, lambda: None)
