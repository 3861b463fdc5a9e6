"""An installation for the operators of these journeys."""

from pathlib import Path

import pytest

from authserver.protocol.entropy import Entropy
from tests.support.clock import ManualClock
from tests.support.shell import Shell


@pytest.fixture
def bare(
    empty_database_url: str, tmp_path: Path, clock: ManualClock, entropy: Entropy, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """A machine on which nothing was set up yet."""
    for name, value in {
        "HOME": tmp_path / "var",
        "KEYS_DIR": tmp_path / "keys",
        "DATABASE_URL": empty_database_url,
    }.items():
        monkeypatch.setenv(f"AUTHSERVER_{name}", str(value))
    return Shell(clock, entropy, tmp_path)


@pytest.fixture
def shell(bare: Shell) -> Shell:
    """An installation after `authserver init`."""
    bare.run("init")
    return bare
