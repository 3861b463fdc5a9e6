"""`authserver serve` as an operator starts it: ready soon, small, or refusing in one line."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.processes import PATIENCE, free_port, running

READY_SECONDS = 2.0
SLACK = 3.0
WORKER_MOST_KIB = 130 * 1024


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> Mapping[str, str]:
    return {
        "AUTHSERVER_HOME": str(tmp_path / "var"),
        "AUTHSERVER_KEYS_DIR": str(tmp_path / "keys"),
        "AUTHSERVER_DATABASE_URL": database_url,
    }


@pytest.fixture
def initialised(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert authserver("init").returncode == 0
    return environment


@pytest.fixture
def server(initialised: Mapping[str, str]) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    port = free_port()
    with running("authserver.cli", "serve", "--port", str(port), "--workers", "2", environment=initialised) as process:
        assert process.stderr is not None
        assert "2 workers" in process.stderr.readline()
        yield port, process


def authserver(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "authserver.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


def get(port: int, path: str) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def rss_kib(pid: int) -> int:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0])


def test_a_started_server_is_ready_soon(initialised: Mapping[str, str]) -> None:
    port = free_port()
    began = time.monotonic()
    with running("authserver.cli", "serve", "--port", str(port), environment=initialised) as process:
        assert process.stderr is not None
        process.stderr.readline()
        assert get(port, "/readyz") == 200
        assert time.monotonic() - began < READY_SECONDS * SLACK


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the memory of processes")
def test_a_worker_is_small(server: tuple[int, "subprocess.Popen[str]"]) -> None:
    port, process = server
    for _ in range(50):
        get(port, "/.well-known/jwks.json")
    workers = children_of(process.pid)
    assert len(workers) == 2
    assert max(map(rss_kib, workers)) < WORKER_MOST_KIB


def test_a_database_without_the_schema_is_refused_in_one_line(
    environment: Mapping[str, str], empty_database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AUTHSERVER_DATABASE_URL", empty_database_url)
    (tmp_path / "var").mkdir()
    refused = authserver("serve", "--port", str(free_port()))
    assert refused.returncode == 1
    assert refused.stderr == "Error: the database has not the schema of this release; run: authserver db upgrade\n"


def test_a_missing_master_key_is_refused_in_one_line(initialised: Mapping[str, str]) -> None:
    for file in Path(initialised["AUTHSERVER_KEYS_DIR"]).iterdir():
        file.unlink()
    refused = authserver("serve", "--port", str(free_port()))
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "holds no master key" in refused.stderr


def test_a_database_that_is_away_is_refused_in_one_line(
    initialised: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del initialised
    monkeypatch.setenv("AUTHSERVER_DATABASE_URL", f"postgresql://me:hunter2secret@127.0.0.1:{free_port()}/nowhere")
    refused = authserver("serve", "--port", str(free_port()))
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "the database did not answer" in refused.stderr
    assert "hunter2secret" not in refused.stderr
