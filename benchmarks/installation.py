"""An installation of authserver as an operator runs it (`init`, users, `serve`) in its own folder, and the floor."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from authserver.records.family import FIRST_GENERATION
from authserver.storage.schema import RefreshTokenFamily
from benchmarks import floor
from benchmarks.driver import Request
from benchmarks.processes import Server, running_server, server_environment
from tests.support.world.databases import opened
from tests.support.world.processes import free_port

CLIENTS = 16
PASSWORD = "correct horse battery staple"  # noqa: S105 - protects nobody
_AUTHSERVER = (sys.executable, "-c", "import sys; from authserver.cli import main; sys.exit(main())")


@dataclass(frozen=True, slots=True)
class Sizes:
    """The numbers of processes and request threads, both for our server and for the floor."""

    workers: int
    threads: int


@dataclass(frozen=True, slots=True)
class Reader:
    """The credentials of a reader of the revocation feed."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation. `serving` runs it."""

    folder: Path
    environment: Mapping[str, str]
    port: int

    @property
    def url(self) -> str:
        """The URL at which it is served."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def command(self) -> list[str]:
        """The command that serves it."""
        return [*_AUTHSERVER, "serve", "--port", str(self.port)]

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """Serve inside the block."""
        with running_server(
            self.command, environment=self.environment, url=f"{self.url}/healthz", log=self.folder / "log"
        ) as server:
            yield server

    def register_users(self) -> None:
        """Register a user for each client. The server must be running."""
        for number in range(CLIENTS):
            self._post("/api/register", {"email": _email(number), "password": PASSWORD})

    def register_reader(self) -> Reader:
        """Register a resource server, which may read the revocation feed."""
        registered = self._register("--resource-server")
        return Reader(registered["client_id"], registered["client_secret"])

    def register_rotating_client(self) -> str:
        """Register a client whose families never rest, so that each refresh is a rotation. Return its id."""
        client_id: str = self._register("--first-party", "--scope", "profile email", "--retry-window", "0")["client_id"]
        return client_id

    def _register(self, *options: str) -> dict[str, Any]:
        command = [*_AUTHSERVER, "clients", "create", "bench", *options, "--json"]
        output = subprocess.run(command, env=self.environment, cwd=self.folder, capture_output=True, check=True).stdout
        registered: dict[str, Any] = json.loads(output)
        return registered

    def _post(self, path: str, members: Mapping[str, Any]) -> dict[str, Any]:
        """Post `members` as JSON, and return the JSON answer."""
        request = urllib.request.Request(  # noqa: S310 - loopback, made by this package
            self.url + path, json.dumps(members).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
            return answer

    def refresh(self, client_id: str) -> Request:
        """Sign in all users with this client, and return its refreshes, of one family for each user.

        The server must be running.
        """
        answers = [self._post("/api/login", json.loads(_login_body(number, client_id))) for number in range(CLIENTS)]
        tokens = _write_lines(self.folder / f"tokens-{client_id}", [answer["refresh_token"] for answer in answers])
        body = f"grant_type=refresh_token&client_id={client_id}&refresh_token={{token}}"
        return Request(f"{self.url}/oauth/token", body, tokens=tokens)

    def ask_for_itself(self) -> Request:
        """Tokens of a service for itself, by its secret in the form."""
        made = self._register("--service", "--scope", "profile email")
        body = f"grant_type=client_credentials&client_id={made['client_id']}&client_secret={made['client_secret']}"
        return Request(f"{self.url}/oauth/token", body)

    def count_rotations(self, client_id: str) -> int:
        """Count the rotations of all families of this client."""
        with opened(self.environment["AUTHSERVER_DATABASE_URL"]) as database, database.read() as tx:
            families = select(RefreshTokenFamily.generation).where(RefreshTokenFamily.client_id == client_id)
            return sum(generation - FIRST_GENERATION for generation in tx.execute(families).scalars())

    def sign_in(self) -> Request:
        """Make the sign-ins: one user for each client, always on the user's same device."""
        return Request(f"{self.url}/api/login", _login_body("{client}", FIRST_PARTY_CLIENT_ID), "application/json")


def install(folder: Path, database_url: str, sizes: Sizes) -> Installation:
    """Run `authserver init` for an installation with open registration."""
    folder.mkdir()
    port = free_port()
    settings = {
        "ISSUER": f"http://127.0.0.1:{port}",
        "HOME": str(folder / "var"),
        "KEYS_DIR": str(folder / "keys"),
        "DATABASE_URL": database_url,
        "WORKERS": str(sizes.workers),
        "THREADS": str(sizes.threads),
        "REGISTRATION": "open",
        "REQUIRE_VERIFIED_EMAIL": "false",
        "LOGIN_LIMITS": "1000000 per minute",
    }
    prefixed = {f"AUTHSERVER_{name}": value for name, value in settings.items()}
    installation = Installation(folder, server_environment(**prefixed), port)
    subprocess.run(
        [*_AUTHSERVER, "init"], env=installation.environment, cwd=folder, stdout=subprocess.DEVNULL, check=True
    )
    return installation


@dataclass(frozen=True, slots=True)
class Floor:
    """The Flask floor, served by granian's own command line."""

    folder: Path
    database_url: str
    port: int
    sizes: Sizes

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """Serve inside the block."""
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.sizes.workers)]
        command += ["--blocking-threads", str(self.sizes.threads), "--log-level", "warning", "benchmarks.floor:app"]
        environment = server_environment(FLOOR_DATABASE_URL=self.database_url)
        url = f"http://127.0.0.1:{self.port}/token"
        with running_server(command, environment=environment, url=url, log=self.folder / "log") as server:
            yield server

    def refresh(self, tokens: Path) -> Request:
        """Make the refreshes, of one family for each client."""
        body = "grant_type=refresh_token&client_id=bench&refresh_token={token}"
        return Request(f"http://127.0.0.1:{self.port}/token", body, tokens=tokens)

    def write_tokens(self) -> Path:
        """Create a family for each client. Return the file of their tokens."""
        return _write_lines(self.folder / "tokens", floor.prepare(self.database_url, CLIENTS))


def lay_floor(folder: Path, database_url: str, sizes: Sizes) -> Floor:
    """Prepare the floor; it is not served yet."""
    folder.mkdir()
    return Floor(folder, database_url, free_port(), sizes)


def count_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _email(client: int | str) -> str:
    return f"user{client}@example.com"


def _login_body(client: int | str, client_id: str) -> str:
    # Each client has its own device, because a second session on one device ends the first.
    # There is no `openid`, because the floor signs one token, and an ID token would be a second signature.
    members = {
        "email": _email(client),
        "password": PASSWORD,
        "client_id": client_id,
        "device_id": f"{client_id}-{client}",
        "scope": "profile email",
    }
    return json.dumps(members, separators=(",", ":"))


def _write_lines(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path
