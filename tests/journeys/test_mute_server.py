"""A server whose stderr cannot be written answers as any other: logging never decides an answer."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.faults.mute import PASSWORD, run_closed
from tests.support.wire.http import HttpClient
from tests.support.world.databases import SqliteDatabases
from tests.support.world.server import Installation, install, serving

ADDRESS = "ada@example.test"


@pytest.fixture
def installation(tmp_path: Path, sqlite_databases: SqliteDatabases) -> Installation:
    installation = install(tmp_path, sqlite_databases.migrated())
    created = installation.type("users", "create", ADDRESS, "--password-stdin", stdin=PASSWORD)
    assert created.exit_code == 0
    return installation


def check_answers(port: int) -> None:
    """What is logged is answered as it happened: a sign-in, a failure, a refusal, an error of the framework's."""
    with HttpClient(port) as client:
        assert client.post_json("/api/login", email=ADDRESS, password=PASSWORD).status == 200
        assert client.post_json("/api/login", email=ADDRESS, password="not this one").status == 401
        assert client.get("/api/account", bearer="nonsense").status == 401
        refused = client.post_form("/oauth/token", grant_type="refresh_token", client_id="nobody", refresh_token="no")
        assert refused.status == 401
        assert client.get("/nowhere").status == 404


def test_behind_a_full_disk(installation: Installation) -> None:
    with serving(installation, workers=1, log=Path("/dev/full")) as server:
        check_answers(server.port)


def test_with_its_streams_closed(installation: Installation) -> None:
    with serving(installation, workers=1, program=run_closed) as server:
        check_answers(server.port)


def test_before_a_reader_who_has_stopped(installation: Installation) -> None:
    """A log collector that hangs lets its pipe fill up; nobody waits for it."""
    pipe, reader = open_pipe(installation)
    with serving(installation, workers=1, log=pipe) as server:
        with suppress(BlockingIOError):
            while os.write(reader, b"x" * 512):
                pass
        check_answers(server.port)
    os.close(reader)


def test_before_a_reader_who_is_gone(installation: Installation) -> None:
    pipe, reader = open_pipe(installation)
    with serving(installation, workers=1, log=pipe) as server:
        os.close(reader)
        check_answers(server.port)


def open_pipe(installation: Installation) -> tuple[Path, int]:
    """A pipe with a name, and a descriptor that holds it open for reading and writing and waits for nothing."""
    pipe = installation.folder / "pipe"
    os.mkfifo(pipe)
    return pipe, os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
