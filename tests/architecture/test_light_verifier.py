"""Who imports the verifier gets PyJWT and cryptography, and nothing of what the server is made of."""

import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = Path(__file__).with_name("verifier_imports.txt")
OF_THE_SERVER = frozenset({"flask", "werkzeug", "sqlalchemy", "passlib", "pydantic", "click", "alembic", "structlog"})
TAKEN_BY_CRYPTOGRAPHY_IF_THERE = frozenset({"bcrypt"})

_LIST_IMPORTS = """
import sys
sys.modules.update(dict.fromkeys(sys.argv[1:]))  # as if they were not installed
before = set(sys.modules)
import authserver.verifier
for name in sorted(set(sys.modules) - before):
    print(name)
"""


def imported_modules(*, without: Collection[str] = ()) -> set[str]:
    """Every module that `import authserver.verifier` loads in a fresh interpreter."""
    command = [sys.executable, "-c", _LIST_IMPORTS, *without]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    return set(done.stdout.split())


def test_the_verifier_loads_nothing_of_the_server() -> None:
    loaded = {name.partition(".")[0] for name in imported_modules()}
    assert loaded.isdisjoint(OF_THE_SERVER)


def test_the_verifier_loads_three_rooms_and_the_clock() -> None:
    """It is a separate tower (design §3): protocol, jose, clock and itself."""
    rooms = {name.split(".")[1] for name in imported_modules() if name.startswith("authserver.")}
    assert rooms == {"clock", "jose", "protocol", "verifier"}


def test_the_third_party_packages_of_the_verifier_are_those_committed() -> None:
    """ASVS 11.2.1. In an installation without the extra `server`; a new line in that file is a decision of its own."""
    modules = imported_modules(without=OF_THE_SERVER | TAKEN_BY_CRYPTOGRAPHY_IF_THERE)
    third_party = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - {"authserver"}
    assert sorted(third_party) == COMMITTED.read_text(encoding="utf-8").split()
