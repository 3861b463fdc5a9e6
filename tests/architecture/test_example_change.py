"""The change that CONTRIBUTING.md shows applies to this tree, touches the files that it names, and passes its tests."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.world.processes import PATIENCE

ROOT = Path(__file__).parents[2]
PARTS = re.compile(r"^### ([^\n]+), whole\n(.*?)^```diff\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHAPTER = PARTS.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))

CONCERNED = (
    "tests/architecture/test_client_attributes.py",
    "tests/architecture/test_policy_document.py",
    "tests/architecture/test_public_names.py",
    "tests/architecture/test_staircase.py",
    "tests/architecture/test_steps.py",
    "tests/clients/test_client_attributes.py",
    "tests/http/test_request_of_a_browser.py::test_every_step_is_walked_here",
    "tests/http/test_terms_page.py",
    "tests/revocation/test_device_reported_lost.py",
    "tests/storage/test_migrations.py::test_models_and_migrated_schema_are_the_same",
    "tests/unit/credentials/test_events.py",
)
"""The tests that the change brings, and those that hold what it adds to the rest."""


def list_files(diff: str) -> set[str]:
    return set(re.findall(r"^\+\+\+ b/(.+)$", diff, re.MULTILINE))


def renumber(versions: Path) -> None:
    """Put the migration of the example behind the newest one of this tree, as when branches are joined."""
    (example,) = versions.glob("*_terms_are_shown.py")
    newest = max(path.name[:4] for path in versions.glob("[0-9]*.py") if path != example)
    number = f"{int(newest) + 1:04}"
    text = re.sub(r"^revision = .*$", f'revision = "{number}"', example.read_text(), flags=re.MULTILINE)
    text = re.sub(r"^down_revision = .*$", f'down_revision = "{newest}"', text, flags=re.MULTILINE)
    example.unlink()
    (versions / f"{number}_terms_are_shown.py").write_text(text)


@pytest.mark.parametrize(("title", "text", "diff"), CHAPTER, ids=[title for title, _, _ in CHAPTER])
def test_a_part_touches_the_files_that_it_names(title: str, text: str, diff: str) -> None:
    (count, named) = re.findall(r"^(\d+) files: (.*)", text, re.MULTILINE | re.DOTALL)[0]
    files = re.findall(r"`([^`]+)`", named)
    assert set(files) == list_files(diff), title
    assert len(files) == int(count)


def test_the_change_applies_and_passes_its_tests(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    ignored = shutil.ignore_patterns("__pycache__", ".*", "node_modules", "var", "*.key")
    shutil.copytree(ROOT, tree, ignore=ignored)
    assert len(CHAPTER) == 3
    for _, _, diff in CHAPTER:
        subprocess.run(["git", "apply", "-"], cwd=tree, input=diff, text=True, check=True, timeout=PATIENCE)
    renumber(tree / "migrations" / "versions")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "-k",
        "not postgresql",
        *CONCERNED,
    ]
    ran = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stdout[-5000:]
