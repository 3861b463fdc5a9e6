"""The example resource server as a process: ten lines with the verifier, used with a server under test."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.wire.http import Answer, HttpClient, answers
from tests.support.world.processes import end, free_port, wait_until
from tests.support.world.server import ROOT, Installation

EXAMPLE: Final = ROOT / "examples" / "resource_server" / "app.py"


class ResourceServer:
    """The running example."""

    def __init__(self, port: int, log: Path) -> None:
        """Keep what `guarding` has started."""
        self.port = port
        self._log = log

    def ask(self, access_token: str) -> Answer:
        """Call the route that needs a token."""
        with HttpClient(self.port) as client:
            return client.get("/me", bearer=access_token)

    @property
    def log(self) -> str:
        """Read its log so far."""
        return self._log.read_text()


@contextmanager
def guarding(installation: Installation, **environment: str) -> Iterator[ResourceServer]:
    """Run a resource server that accepts tokens of `installation` during the block.

    `environment` may hold CLIENT_ID and CLIENT_SECRET, so that it follows the revocation feed.
    """
    port, log = free_port(), installation.folder / "resource-server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, EXAMPLE],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "AUTHSERVER_ISSUER": installation.settings["ISSUER"],
                "PORT": str(port),
                **environment,
            },
            stdout=output,
            stderr=output,
        )
    server = ResourceServer(port, log)
    try:
        wait_until(lambda: answers(port), "the start of the resource server")
        yield server
    finally:
        end(process)
