"""`make run` on a machine that lacks something: it says what, and goes on once it is there."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT_ENSUREPIP = """#!/bin/sh
case "$*" in *venv*) mkdir -p .venv/bin; printf '#!/bin/sh\\nexit 1\\n' >.venv/bin/python; chmod +x .venv/bin/python
  echo 'ensurepip is not available' >&2; exit 1;; esac
"""
WITH_ENSUREPIP = """#!/bin/sh
case "$*" in *venv*) mkdir -p .venv/bin; printf '#!/bin/sh\\nexit 0\\n' >.venv/bin/python
  chmod +x .venv/bin/python;; esac
"""
"""A `python3` of Debian, before and after python3-venv was installed; its packages are there at once."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(checkout: Path, python: str) -> "subprocess.CompletedProcess[str]":
    (checkout / "python").write_text(python)
    (checkout / "python").chmod(0o755)
    command = ["make", "run", f"PYTHON={checkout / 'python'}"]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False, timeout=60)


def test_a_missing_venv_module_is_named_and_nothing_half_made_stays(checkout: Path) -> None:
    done = make(checkout, WITHOUT_ENSUREPIP)
    assert (done.returncode, "apt-get install python3-venv" in done.stderr) == (2, True), done.stderr
    assert not (checkout / ".venv").exists()


def test_an_environment_without_pip_is_made_again(checkout: Path) -> None:
    """As Debian's python3 leaves it, whoever ran it."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    (checkout / ".venv" / "bin" / "python").chmod(0o755)
    done = make(checkout, WITH_ENSUREPIP)
    assert done.returncode == 0, done.stderr
    assert (checkout / ".venv" / ".ready").exists()
