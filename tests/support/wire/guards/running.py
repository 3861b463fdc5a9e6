"""Runs both guards beside a server under test."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.support.wire.http import Answer, HttpClient, answers
from tests.support.world.processes import end, free_port, wait_until
from tests.support.world.server import ROOT, Installation

KINDS = ("flask", "asgi")
_INTERFACES = {"flask": "wsgi", "asgi": "asginl"}


@dataclass(frozen=True, slots=True)
class Guards:
    """The ports of the guards, by kind."""

    ports: dict[str, int]

    def ask(self, access_token: str) -> dict[str, Answer]:
        """Send the token to each guard; return the answers by kind."""
        answers = {}
        for kind, port in self.ports.items():
            with HttpClient(port) as client:
                answers[kind] = client.get("/me", bearer=access_token)
        return answers

    def statuses(self, access_token: str) -> set[int]:
        """Send the token to each guard; return the statuses of the answers."""
        return {answer.status for answer in self.ask(access_token).values()}

    def wait_for(self, status: int, access_token: str, *, within: float) -> float:
        """Wait until all guards answer with `status`; return the seconds, and fail after `within`."""
        began = time.monotonic()
        while self.statuses(access_token) != {status}:
            waited = time.monotonic() - began
            assert waited < within, f"{self.ask(access_token)} after {waited:.1f} s"
            time.sleep(0.02)
        return time.monotonic() - began


@contextmanager
def guarding_both(installation: Installation) -> Iterator[Guards]:
    """Register a resource server, and run both guards as it during the block. The server must be running."""
    created = installation.type("clients", "create", "guards", "--resource-server", "--json")
    assert created.exit_code == 0, created.stderr
    reader = json.loads(created.stdout)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "GUARD_ISSUER": installation.url,
        "GUARD_CLIENT_ID": reader["client_id"],
        "GUARD_CLIENT_SECRET": reader["client_secret"],
    }
    with ExitStack() as stack:
        ports = {kind: stack.enter_context(_running(kind, environment, installation)) for kind in KINDS}
        yield Guards(ports)


@contextmanager
def _running(kind: str, environment: dict[str, str], installation: Installation) -> Iterator[int]:
    port, log = free_port(), installation.folder / f"{kind}-guard.log"
    command = [sys.executable, "-m", "granian", "--interface", _INTERFACES[kind], "--port", str(port)]
    command += ["--log-level", "warning", f"tests.support.wire.guards.{kind}_guard:app"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_until(lambda: answers(port), f"the start of the {kind} guard")
        yield port
    finally:
        end(process)
