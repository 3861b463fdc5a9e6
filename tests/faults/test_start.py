"""`authserver serve` as an operator starts it: ready soon, small, or refusing in one line."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.world.processes import PATIENCE, free_port, running
from tests.support.world.server import Installation
from tests.support.world.warm_start import WarmCommand

if TYPE_CHECKING:
    import subprocess

READY_SECONDS = 2.0
SLACK = 3.0
WORKER_MOST_KIB = 130 * 1024


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Installation:
    """What an operator cannot but set, and no `authserver init` yet."""
    folders = {"HOME": str(tmp_path / "var"), "KEYS_DIR": str(tmp_path / "keys")}
    return Installation(tmp_path, free_port(), database_url, {**folders, "DATABASE_URL": database_url})


@pytest.fixture
def initialised(installation: Installation) -> Installation:
    assert installation.type("init").exit_code == 0
    return installation


@contextmanager
def starting(installation: Installation, said: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """`authserver serve`, once it has `said` that it serves."""
    command = ("authserver.cli", "serve", "--port", str(installation.port), *arguments)
    with running(*command, environment=installation.environment) as process:
        assert process.stderr is not None
        assert said in process.stderr.readline()
        yield process


def refuse(installation: Installation) -> str:
    """The one line with which `authserver serve` ends."""
    ended = WarmCommand(
        installation.folder, installation.environment, "serve", "--port", str(installation.port)
    ).finish()
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1), ended
    return ended.stderr


def get(port: int, path: str) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def rss_kib(pid: int) -> int:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0])


def test_a_started_server_is_ready_soon(initialised: Installation) -> None:
    began = time.monotonic()
    with starting(initialised, '"event": "serving"'):
        assert get(initialised.port, "/readyz") == 200
        assert time.monotonic() - began < READY_SECONDS * SLACK


def test_no_answer_names_the_software_that_gives_it(initialised: Installation) -> None:
    """ASVS 13.4.6."""
    with starting(initialised, '"event": "serving"'):
        for path in ("/readyz", "/login", "/nothing", "/a//b", "/oauth/token"):
            with closing(HTTPConnection("127.0.0.1", initialised.port, timeout=PATIENCE)) as connection:
                connection.request("GET", path)
                headers = dict(connection.getresponse().getheaders())
            assert headers.pop("server") == ""
            assert not [
                one for one in headers.items() if "granian" in str(one).lower() or "werkzeug" in str(one).lower()
            ]


def say_at_start(installation: Installation, lines: int, **settings: str) -> list[str]:
    """The first lines on stderr of `authserver serve` on the port of `installation`."""
    told = replace(installation, settings={**installation.settings, **settings})
    command = ("authserver", "serve", "--port", str(told.port))
    with running(*command, environment=told.environment) as process:
        assert process.stderr is not None
        return [process.stderr.readline() for _ in range(lines)]


def test_the_log_is_json_from_its_first_line(initialised: Installation) -> None:
    """Where stderr is no terminal. A collector that reads JSON stumbles over nothing; as `python -m authserver`."""
    serving, mail, port = map(json.loads, say_at_start(initialised, 3, ISSUER="http://127.0.0.1:1"))
    address = f"http://127.0.0.1:{initialised.port}"
    assert (serving["event"], serving["level"], serving["address"]) == ("serving", "info", address)
    assert (mail["event"], mail["level"]) == ("mail_goes_to_files", "warning")
    assert (port["event"], "AUTHSERVER_ISSUER" in port["said"]) == ("port_is_not_of_issuer", True)


def test_a_port_that_is_not_the_issuers_is_said_in_one_line(initialised: Installation) -> None:
    text = {"LOG_FORMAT": "text", "SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "a@example.test"}
    first, second = say_at_start(initialised, 2, ISSUER="http://127.0.0.1:1", **text)
    assert first.startswith("authserver: serving ")
    assert second == (
        f"authserver: port {initialised.port} is not the port of AUTHSERVER_ISSUER=http://127.0.0.1:1,"
        " which clients and mailed links use\n"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the memory of processes")
def test_a_worker_is_small(initialised: Installation) -> None:
    with starting(initialised, '"workers": 2', "--workers", "2") as process:
        for _ in range(50):
            get(initialised.port, "/.well-known/jwks.json")
        workers = children_of(process.pid)
        assert len(workers) == 2
        assert max(map(rss_kib, workers)) < WORKER_MOST_KIB


def test_workers_that_cannot_count_together_are_refused_in_one_line(initialised: Installation) -> None:
    """A limit of ten would be ten for each of them."""
    file = initialised.folder / "var" / "limits-1"
    file.mkdir()
    two = replace(initialised, settings={**initialised.settings, "WORKERS": "2"})
    assert refuse(two) == f"Error: the workers cannot count sign-ins together in {file}: Is a directory\n"


def test_a_database_without_the_schema_is_refused_in_one_line(
    installation: Installation, empty_database_url: str
) -> None:
    Path(installation.settings["HOME"]).mkdir()
    said = refuse(with_database(installation, empty_database_url))
    assert said == "Error: the database is empty; run: authserver init\n"


def test_a_missing_master_key_is_refused_in_one_line(initialised: Installation) -> None:
    for file in initialised.keys.iterdir():
        file.unlink()
    assert "holds no master key" in refuse(initialised)


def test_a_database_that_is_away_is_refused_in_one_line(initialised: Installation) -> None:
    away = f"postgresql://me:hunter2secret@127.0.0.1:{free_port()}/nowhere"
    said = refuse(with_database(initialised, away))
    assert "the database did not answer" in said
    assert "hunter2secret" not in said


def with_database(installation: Installation, url: str) -> Installation:
    return replace(installation, database_url=url, settings={**installation.settings, "DATABASE_URL": url})
