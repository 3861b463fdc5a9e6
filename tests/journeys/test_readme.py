"""The tour in README.md works by copy and paste: it is pasted here, on other ports."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.world.processes import PATIENCE, free_port

ROOT = Path(__file__).parents[2]
TOUR = re.compile(r"^## A tour.*?(?=^## )", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
PASSWORD = re.compile(r"with the password (\S+),")


def read_tour() -> list[str]:
    """The tour's commands, block by block."""
    found = TOUR.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    return BLOCK.findall(found[0])


def lay_out_checkout(folder: Path) -> None:
    """What `make run` leaves in the folder that the tour is typed in."""
    for name, words in (("python", ()), ("authserver", ("-m", "authserver.cli"))):
        command = folder / ".venv" / "bin" / name
        command.parent.mkdir(parents=True, exist_ok=True)
        command.write_text(f'#!/bin/sh\nexec {shlex.join((sys.executable, *words))} "$@"\n')
        command.chmod(0o755)


def test_the_tour_works_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    lay_out_checkout(tmp_path)
    ports = {"8000": str(free_port()), "8001": str(free_port())}
    command = ["examples/run_demo.py", "--port", ports["8000"], "--resource-port", ports["8001"]]
    demo = subprocess.Popen(
        [sys.executable, ROOT / command[0], *command[1:]],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with demo:
        try:
            assert demo.stdout is not None
            password = next(found[1] for line in demo.stdout if (found := PASSWORD.search(line)))
            tour_blocks = read_tour()
            pasted = [*tour_blocks, *tour_blocks[:2]]  # the sign-in again: the password is the printed one at the end
            script = "\n".join(f"echo '=== '\n{block}" for block in pasted).replace("…", password)
            tour = subprocess.run(
                ["sh", "-eu", "-c", re.sub(r"\b800[01]\b", lambda port: ports[port[0]], script)],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=3 * PATIENCE,
                check=False,
            )
        finally:
            demo.terminate()
            _, errors = demo.communicate(timeout=2 * PATIENCE)
    assert tour.returncode == 0, (tour.stderr, errors)
    _, _, signed_in, called, retried, refreshed, listed, stolen, changed, _, again = tour.stdout.split("=== \n")
    assert '"refresh_token"' in signed_in
    assert '"session"' in called
    assert len(set(retried.split())) == 1
    assert len(retried.split()) == 2
    assert refreshed.split().count("200") == 20
    assert re.search(r"^(?:200 )*signing: \S+ is active", refreshed, re.MULTILINE), refreshed
    assert listed.count("my terminal") == 2
    assert stolen.split()[0] == "200"
    assert stolen.count("invalid_grant") == 2
    assert '"session_revoked"' in stolen
    assert stolen.split()[-1] == "401"
    assert changed.split()[0] == "200"
    assert changed.split()[8] == "401"
    assert changed.split()[-1] == "200"
    assert '"refresh_token"' in again
