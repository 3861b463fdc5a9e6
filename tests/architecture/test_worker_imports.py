"""A worker loads what answering takes: each package more is memory in every process, and time at every start."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from authserver.cli.main import authserver

ROOT = Path(__file__).resolve().parents[2]
UNNEEDED: Final = frozenset({"alembic", "dns", "flask_migrate", "mako", "prometheus_client", "pygments"})
"""What a library or a command would bring along, at the latest with the first answers."""
OTHER_DRIVERS: Final[Mapping[str, frozenset[str]]] = {
    "sqlite": frozenset({"psycopg", "psycopg_binary"}),
    "postgresql": frozenset(),  # the one of SQLite is in the standard library
}

_LIST_IMPORTS = """
import sys
sys.modules["rich"] = None  # structlog loads it if it is there: test libraries bring it, no server has it
import authserver.cli.serve  # a worker is a fork of the command
from authserver.app import create_wsgi
client = create_wsgi().test_client()
assert client.get("/readyz").status_code == 200
assert client.post("/api/login", json={"email": "ada@example.com", "password": "correct horse"}).status_code == 401
assert client.get("/login").status_code
print(*sys.modules)
"""


@pytest.fixture
def initialised(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The kind of the database that `authserver init` has prepared."""
    monkeypatch.setenv("AUTHSERVER_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("AUTHSERVER_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("AUTHSERVER_DATABASE_URL", database_url)
    assert CliRunner().invoke(authserver, ["init"]).exit_code == 0
    return database_url.partition(":")[0]


def run(*arguments: str) -> str:
    """What Python prints."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout


def test_a_worker_loads_nothing_that_it_does_not_need(initialised: str) -> None:
    """Alembic and Mako alone are a tenth of a worker; what only commands do is imported by those commands."""
    modules = set(run("-c", _LIST_IMPORTS).split())
    assert {"flask", "sqlalchemy", "authserver.web.application"} <= modules
    assert {name.partition(".")[0] for name in modules}.isdisjoint(UNNEEDED | OTHER_DRIVERS[initialised])
    assert modules.isdisjoint({"authserver.development", "authserver.storage.migrations", "authserver.verifier"})
