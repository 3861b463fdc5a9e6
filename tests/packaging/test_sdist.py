"""The source distribution: what the repository has, and nothing of the installation of whoever builds it."""

import shutil
import tarfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder

ROOT = Path(__file__).parents[2]
_IN_USE = (
    "keys/master-20261125T000000Z.key",
    "keys/master-20261125T000000Z.ab12.draft",
    "var/authserver.db",
    "var/authserver.db-wal",
    "var/mail/20261125T000000Z-a.eml",
    "var/authserver.toml",
    "state/authserver.db",
    "secrets/master.key",
    "examples/keys/master.key",
    "examples/var/authserver.db",
    "authserver.toml",
    ".env",
    "users.csv",
)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What is in the distribution of a checkout in use, from its root."""
    folder = tmp_path_factory.mktemp("checkout")
    kept = shutil.ignore_patterns(".*", "__pycache__", "var", "*.key")
    shutil.copytree(ROOT, folder, ignore=kept, dirs_exist_ok=True)
    for name in (".gitignore", "keys/.gitignore"):
        shutil.copy(ROOT / name, folder / name)
    for name in _IN_USE:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("hunter2secret")
    (built,) = SdistBuilder(str(folder)).build(directory=str(folder / "dist"))
    with tarfile.open(built) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def test_nothing_of_an_installation_is_packed(names: set[str]) -> None:
    """The master key above all: with a copy of the database, it signs in anybody."""
    assert names.isdisjoint(_IN_USE)


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "LICENSE",
        "pyproject.toml",
        "keys/README.md",
        "keys/.gitignore",
        "authserver/app.py",
        "migrations/env.py",
        "docs/keys.md",
        "tests/conftest.py",
    ],
)
def test_what_the_repository_has_is_packed(names: set[str], name: str) -> None:
    assert name in names
