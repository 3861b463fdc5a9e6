"""Refreshes with a DPoP proof, beside the same without one, and beside two signatures.

One program on one connection, because the load driver cannot sign proofs. The CPU time of server and database is
measured, not that of the program. Each refresh is a rotation, as of a client without a retry window.
"""

import json
import statistics
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from benchmarks.databases import Databases
from benchmarks.installation import PASSWORD, Installation, Sizes, install
from benchmarks.processes import Server
from benchmarks.table import Line, Target
from tests.support.world.proofs import ProofKey

TARGET: Final = Target("≤", 1.5)
"""On PostgreSQL. SQLite commits the used proof to disk, like the rotation."""

_SLICE: Final = 300
"""Refreshes in one turn."""


@dataclass
class Program:
    """One user's program, with a key or without one."""

    ours: Installation
    client_id: str
    email: str
    key: ProofKey | None
    refresh_token: str = field(init=False)

    def __post_init__(self) -> None:
        """Sign in."""
        self._connection = HTTPConnection("127.0.0.1", self.ours.port)
        members = {"email": self.email, "password": PASSWORD, "client_id": self.client_id, "scope": "profile email"}
        self._take(self._send("/api/login", json.dumps(members), "application/json"))

    def refresh(self) -> None:
        """Rotate."""
        form = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": self.refresh_token}
        self._take(self._send("/oauth/token", urlencode(form), "application/x-www-form-urlencoded"))

    def _take(self, answer: dict[str, Any]) -> None:
        if answer["token_type"] != ("Bearer" if self.key is None else "DPoP"):
            raise RuntimeError(answer["token_type"])
        self.refresh_token = answer["refresh_token"]

    def _send(self, path: str, body: str, content_type: str) -> dict[str, Any]:
        headers = {"Content-Type": content_type}
        if self.key is not None:
            headers["DPoP"] = self.key.prove("POST", self.ours.url + path, time.time())
        self._connection.request("POST", path, body, headers)
        response = self._connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
        if response.status != 200:  # noqa: PLR2004 - OK
            raise RuntimeError(answer)
        return answer


def measure_dpop(databases: Databases, folder: Path, sizes: Sizes, *, rounds: int) -> list[Line]:
    """Measure on one kind of database; the two programs take turns."""
    folder.mkdir()
    ours = install(folder / "ours", databases.create("dpop"), sizes)
    with ours.serving() as server:
        ours.register_users()
        client_id = ours.register_rotating_client()
        plain = Program(ours, client_id, "user0@example.com", None)
        bound = Program(ours, client_id, "user1@example.com", ProofKey())
        turns = [(_measure(server, databases, plain), _measure(server, databases, bound)) for _ in range(rounds)]
    signatures = _time_signatures()
    without, with_proof = (statistics.median(turn[side] for turn in turns) for side in (0, 1))
    ratio = statistics.median((bound - signatures) / plain for plain, bound in turns)
    return [
        Line(
            f"refresh with a DPoP proof, {databases.name}, CPU of server and database, less two signatures",
            f"{with_proof:.0f} µs - {signatures:.0f} µs",
            f"without a proof: {without:.0f} µs",
            ratio,
            target=TARGET if databases.name.startswith("PostgreSQL") else None,
        )
    ]


def _measure(server: Server, databases: Databases, program: Program) -> float:
    """Measure one refresh, in µs of CPU."""
    for _ in range(_SLICE // 10):
        program.refresh()
    before = _used(server, databases)
    for _ in range(_SLICE):
        program.refresh()
    return (_used(server, databases) - before) / _SLICE * 1e6


def _used(server: Server, databases: Databases) -> float:
    return (server.cpu_seconds() or 0.0) + (databases.cpu_seconds() or 0.0)


def _time_signatures() -> float:
    """Measure making and checking one ES256 signature, in µs."""
    pair, text = ProofKey().pair, b"x" * 400
    public_key = pair.private_key.public_key()
    before = time.process_time()
    for _ in range(_SLICE):
        pair.algorithm.verify(public_key, text, pair.algorithm.sign(pair.private_key, text))
    return (time.process_time() - before) / _SLICE * 1e6
