"""`make run` does what it prints: the six commands are run here as they are printed."""

import json
import re
import subprocess
import sys
from pathlib import Path
from socket import create_server

import pytest

from tests.support.world.processes import PATIENCE, free_port

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "run_demo.py"


def paste(commands: str) -> list[str]:
    """What a shell prints for each numbered command of the guide."""
    script = re.sub(r"^# (\d)\..*$", r"echo; echo '=== \1'", commands, flags=re.MULTILINE)
    shell = subprocess.run(
        ["bash", "-eu", "-c", script], capture_output=True, text=True, timeout=3 * PATIENCE, check=False
    )
    assert shell.returncode == 0, shell.stderr
    return re.split(r"^=== \d\n", shell.stdout, flags=re.MULTILINE)[1:]


def objects(text: str) -> list[dict[str, object]]:
    """The JSON objects in `text`, whatever stands between them."""
    return [json.loads(found) for found in re.findall(r"\{[^{}]*\}", text)]


def test_the_printed_commands_show_the_main_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder with a space in its name. Afterwards they work once more: the tour in the README comes next."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "a folder"
    folder.mkdir()
    ports = (free_port(), free_port())
    demo = subprocess.Popen(
        [sys.executable, str(DEMO), "--port", str(ports[0]), "--resource-port", str(ports[1])],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with demo:
        try:
            assert demo.stdout is not None
            guide = ""
            for line in demo.stdout:
                guide += line
                if line.startswith("Ctrl-C"):
                    break
            commands = guide.partition("# 1.")
            signed_in, called, refreshed, rotated, stolen, changed = paste(
                "# 1." + commands[2].partition("\nCtrl-C")[0]
            )
            (signed_in_again,) = paste("# 1." + commands[2].partition("\n# 2.")[0])
        finally:
            demo.terminate()
            _, errors = demo.communicate(timeout=2 * PATIENCE)
    assert demo.returncode == 0, errors
    (tokens,) = objects(signed_in)
    assert "access_token" in signed_in_again
    assert {"access_token", "refresh_token", "sid"} <= tokens.keys()
    (me,) = objects(called)
    assert me["session"] == tokens["sid"]
    first, second = refreshed.split()
    assert first == second
    assert first.startswith("rt_")
    assert "is active" in rotated
    assert [one["user"] for one in objects(rotated)] == [me["user"], me["user"]]
    assert [one["error"] for one in objects(stolen)] == ["invalid_grant", "invalid_grant"]
    dead, mine = objects(changed)
    assert changed.split()[7] == "401"
    assert dead["error"] == "invalid_token"
    assert (mine["user"], mine["token_version"]) == (me["user"], 2)


def test_a_busy_port_is_said_in_one_line(tmp_path: Path) -> None:
    with create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        demo = subprocess.run(
            [sys.executable, str(DEMO), "--port", str(free_port()), "--resource-port", str(port)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert demo.returncode == 1
    assert demo.stderr == f"make run: port {port} is in use by another program: stop that one first\n"
    assert list(tmp_path.iterdir()) == []
