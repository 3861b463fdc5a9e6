"""The example of a program without users: its one command, and the page that prints its code."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.world.processes import PATIENCE

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "examples" / "backend" / "backend.py"


def test_its_one_command_shows_both_ways_and_an_end(tmp_path: Path) -> None:
    """RFC 6749 §4.4, with Authlib: by a secret and by a key; a disabled client gets nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "examples.backend.run"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines() if line.startswith(("by ", "disabled")))
    assert said["by its secret"].startswith('200 {"client"')
    assert said["by its key"].startswith('200 {"client"')
    assert "invalid_client" in said["disabled"]
    assert list(tmp_path.iterdir()) == []


def test_the_page_for_machine_clients_prints_the_program_that_runs() -> None:
    """Complete code, of at most 40 lines, which the test above runs."""
    page = (ROOT / "docs" / "machine-clients.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert printed == PROGRAM.read_text(encoding="utf-8")
    assert len(printed.splitlines()) <= 40
