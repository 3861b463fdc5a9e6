"""F20: `authserver keys rotate`, killed with SIGKILL before each of its writes, and twice at once."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from authserver.cli.main import authserver
from authserver.jose.jwk import read_jwks
from authserver.keyring.keyring import Keyring, build_keyring
from authserver.keyring.keys import ALWAYS_KEPT, KeyState
from authserver.keyring.master_files import load_master_keys
from authserver.storage import Database, keys
from tests.support.faults.dying_rotation import die_before
from tests.support.world.warm_start import WarmCommand

_WRITES = 6
"""A rotation changes three rows of each purpose."""


@pytest.fixture
def folder(tmp_path: Path, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of master keys of an installation whose keys were made an hour ago."""
    monkeypatch.setenv("AUTHSERVER_DATABASE_URL", database_url)
    monkeypatch.setenv("AUTHSERVER_HOME", str(tmp_path))
    monkeypatch.setenv("AUTHSERVER_KEYS_DIR", str(tmp_path / "keys"))
    run("create-master")
    run("rotate")
    age_keys(database)
    return tmp_path / "keys"


def start(tmp_path: Path, prepare: Callable[[], None] | None = None) -> WarmCommand:
    """`authserver keys rotate` as a process of its own."""
    return WarmCommand(tmp_path, os.environ, "keys", "rotate", prepare=prepare)


def finish(command: WarmCommand) -> int:
    finished = command.finish()
    assert finished.stderr == "", finished.stderr
    return finished.returncode


def run(*arguments: str) -> None:
    """`authserver keys …` in this process, which is quicker."""
    result = CliRunner().invoke(authserver, ["keys", *arguments])
    assert result.exit_code == 0, result.stderr


def build(database: Database, folder: Path) -> Keyring:
    """What a server works with that reads the keys now."""
    with database.read() as tx:
        return build_keyring(keys.load_all(tx), load_master_keys(folder))


def count(database: Database, state: KeyState) -> list[int]:
    with database.read() as tx:
        known = keys.load_all(tx)
    return [len(list(known.select(purpose, state))) for purpose in ALWAYS_KEPT]


def age_keys(database: Database) -> None:
    """Let the keys be an hour older, so that the next ones may sign."""
    with database.write() as tx:
        for key in keys.load_all(tx).rows:
            keys.replace(tx, replace(key, published_at=key.created_at - timedelta(hours=1)), was=key)


@pytest.mark.parametrize("dies_before", range(_WRITES))
def test_a_killed_rotation_leaves_whole_keys_and_is_finished_by_the_next(
    database: Database, folder: Path, tmp_path: Path, dies_before: int
) -> None:
    """F20: the JWKS always has exactly the keys that may have signed live tokens."""
    signed_by = build(database, folder).signing_key.kid
    assert finish(start(tmp_path, partial(die_before, dies_before))) == -signal.SIGKILL

    keyring = build(database, folder)
    rotated = keyring.signing_key.kid != signed_by
    assert set(read_jwks(keyring.jwks)) >= {signed_by, keyring.signing_key.kid}
    assert len(read_jwks(keyring.jwks)) == (3 if rotated else 2)
    assert count(database, KeyState.NEXT) == [1, 1]

    run("rotate")
    assert count(database, KeyState.NEXT) == [1, 1]
    assert build(database, folder).find_verification_key(signed_by) is not None
    assert all(retiring >= 1 for retiring in count(database, KeyState.RETIRING))


def test_of_two_rotations_at_once_one_wins(database: Database, folder: Path, tmp_path: Path) -> None:
    """F20."""
    assert [finish(process) for process in [start(tmp_path) for _ in range(2)]] == [0, 0]
    assert count(database, KeyState.RETIRING) == [1, 1]
    assert count(database, KeyState.NEXT) == [1, 1]
