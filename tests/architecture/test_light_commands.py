"""A command loads what it needs: whoever asks for help, or rotates keys from cron, waits for no web framework."""

import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from authserver.cli.main import authserver

ROOT: Final = Path(__file__).resolve().parents[2]
COMMITTED: Final = Path(__file__).with_name("command_imports.txt")

_LIST_IMPORTS: Final = """
import sys
sys.modules["rich"] = None  # structlog loads it if it is there: test libraries bring it, no server has it
before = set(sys.modules)
if sys.argv[1:]:
    from authserver.cli import main
    status = main()
    assert status == 0, status
else:
    import authserver.app
print()
print(*sorted(set(sys.modules) - before))
"""


def load(*command: str) -> set[str]:
    """Every module that the command loads in a fresh interpreter; without words, those of a whole server."""
    line = [sys.executable, "-c", _LIST_IMPORTS, *command]
    done = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    return set(done.stdout.splitlines()[-1].split())


def sort_out(modules: set[str]) -> dict[str, list[str]]:
    """Our rooms, and the packages of others. Names that begin with `_` or `cython` are parts of such packages."""
    found = defaultdict(set)
    for name in modules:
        first, _, rest = name.partition(".")
        if first == "authserver" and rest:
            found["rooms"].add(rest.partition(".")[0])
        elif first != "authserver" and first not in sys.stdlib_module_names and not first.startswith(("_", "cython")):
            found["packages"].add(first)
    return {kind: sorted(names) for kind, names in found.items()}


def read_committed() -> dict[str, list[str]]:
    """Of `command_imports.txt`: lines of `command | kind: names`."""
    lines = COMMITTED.read_text(encoding="utf-8").splitlines()
    return {head: names.split() for head, _, names in (line.partition(": ") for line in lines)}


@pytest.fixture
def _initialised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHSERVER_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("AUTHSERVER_KEYS_DIR", str(tmp_path / "keys"))
    assert CliRunner().invoke(authserver, ["init"]).exit_code == 0


@pytest.mark.usefixtures("_initialised")
@pytest.mark.parametrize("command", ["--help", "keys rotate"])
def test_a_command_loads_the_rooms_and_packages_that_are_committed(command: str) -> None:
    """A new name in that file is time at every start of the command: a decision of its own."""
    loaded = load(*command.split())
    assert "flask" not in loaded
    assert not {name for name in loaded if name.startswith("authserver.web.pages")}
    assert {f"{command} | {kind}": names for kind, names in sort_out(loaded).items()} == {
        head: names for head, names in read_committed().items() if head.startswith(f"{command} |")
    }


def test_help_loads_less_than_a_third_of_the_server() -> None:
    """Modules instead of seconds, which differ between machines (0.07 s against 1.6 s where this was written)."""
    assert 3 * len(load("--help")) < len(load())
