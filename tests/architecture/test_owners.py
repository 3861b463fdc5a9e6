"""Time, randomness and the environment each have one owner. The linter forbids them elsewhere; this says where."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "authserver"

OWNERS = {
    "datetime.now": {"clock.py"},
    "datetime.utcnow": set(),
    "datetime.today": set(),
    "date.today": set(),
    "time.time": {"clock.py"},
    "time.time_ns": set(),
    "time.monotonic": {"clock.py"},
    "secrets.": {"assembly.py"},
    "os.urandom": set(),
    "random.": set(),
    "uuid.uuid4": set(),
    "os.environ": {"config"},
    "os.getenv": set(),
    "current_app.": {"web"},
}
"""Name, or what begins with it → the file or room that may use it."""


def names(source: str) -> Iterator[str]:
    """The dotted names that a module uses or imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def breaches(path: str, source: str) -> list[str]:
    """What the module at `path` (relative to the package) uses and does not own."""
    room = path.partition("/")[0]
    return sorted(
        f"{path} uses {name}"
        for name in set(names(source))
        for owned, owners in OWNERS.items()
        if (name == owned or (owned.endswith(".") and name.startswith(owned))) and not owners & {path, room}
    )


def test_only_owners_read_time_randomness_and_the_environment() -> None:
    """ASVS 7.2.3: one source of randomness. Also for files that the linter exempts because they own one of these."""
    found = [
        breach
        for file in sorted(PACKAGE.rglob("*.py"))
        for breach in breaches(file.relative_to(PACKAGE).as_posix(), file.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("path", "source", "breach"),
    [
        ("clock.py", "import os\nos.environ['X']", "clock.py uses os.environ"),
        ("app.py", "import time\ntime.time()", "app.py uses time.time"),
        ("web/api.py", "from os import environ", "web/api.py uses os.environ"),
        ("keyring/making.py", "import secrets\nsecrets.token_bytes(1)", "keyring/making.py uses secrets.token_bytes"),
        ("config/settings.py", "from os import getenv", "config/settings.py uses os.getenv"),
        ("cli/operator.py", "import os\nos.environ['X']", "cli/operator.py uses os.environ"),
        ("grants/base.py", "from datetime import datetime\ndatetime.now()", "grants/base.py uses datetime.now"),
    ],
)
def test_a_breach_is_found(path: str, source: str, breach: str) -> None:
    assert breaches(path, source) == [breach]
