"""A release has one version, which is written at one place; who reads about it reads of that one."""

import re
import subprocess
from pathlib import Path
from typing import Final

from authserver import __version__

ROOT: Final = Path(__file__).parents[2]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_is_written_once() -> None:
    """The wheel, `--version`, OpenAPI and the verifier's user agent derive from it."""
    listed = subprocess.run(
        ["git", "grep", "-lF", f'"{__version__}"'], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert listed.stdout.split() == ["authserver/__init__.py"]


def test_the_supported_version_is_this_one() -> None:
    minor = __version__.rpartition(".")[0]
    assert f"| the newest minor version ({minor}) | yes |" in read("SECURITY.md")


def test_the_changelog_begins_with_what_is_not_released_or_with_this_version() -> None:
    (newest, *_) = re.findall(r"^## \[(.*?)\]", read("CHANGELOG.md"), re.MULTILINE)
    assert newest in {"Unreleased", __version__}


def test_make_lists_each_of_its_targets() -> None:
    makefile = read("Makefile")
    (targets,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    listed = set(re.findall(r'"make ([a-z-]+)|   make ([a-z-]+) ', makefile))
    inner = {"help", "prover", "browser"}
    assert set(targets.split()) - inner == {one or other for one, other in listed}
