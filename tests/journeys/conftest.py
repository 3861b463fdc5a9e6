"""An installation for the operators of these journeys."""

from pathlib import Path

import pytest

from authserver.credentials.passwords import CHEAP, PasswordHasher
from authserver.protocol.entropy import Entropy
from tests.support.people.shell import Shell
from tests.support.world.clock import ManualClock


@pytest.fixture
def bare(
    empty_database_url: str, tmp_path: Path, clock: ManualClock, entropy: Entropy, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """A machine on which nothing was set up yet."""
    return _settle(empty_database_url, tmp_path, clock, entropy, monkeypatch)


@pytest.fixture
def shell(
    database_url: str, tmp_path: Path, clock: ManualClock, entropy: Entropy, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """An installation after `authserver init`; the tables were there before, because to make them takes so long."""
    shell = _settle(database_url, tmp_path, clock, entropy, monkeypatch)
    shell.run("init")
    return shell


def _settle(
    database_url: str, folder: Path, clock: ManualClock, entropy: Entropy, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    for name, value in {"HOME": folder / "var", "KEYS_DIR": folder / "keys", "DATABASE_URL": database_url}.items():
        monkeypatch.setenv(f"AUTHSERVER_{name}", str(value))
    monkeypatch.setattr("authserver.assembly.PasswordHasher", lambda: PasswordHasher(CHEAP))
    return Shell(clock, entropy, folder)
