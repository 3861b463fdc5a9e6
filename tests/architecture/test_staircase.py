"""The house: rooms on one staircase, imports strictly downward, each library in the room that owns it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "authserver"

STAIRCASE: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli", "development"),
    ("app",),
    ("housekeeping", "logs", "config"),
    ("web",),
    ("grants", "accounts"),
    ("realm",),
    ("clients",),
    ("revocation",),
    ("mail",),
    ("storage",),
    ("keyring", "credentials"),
    ("sessions",),
    ("jose",),
    ("protocol",),
    ("timekeeping",),
    ("clock",),
)
"""From the top of the stairs down; rooms of one step do not import each other."""

TOWER = {"verifier": {"protocol", "jose", "clock"}}
"""Beside the stairs: what the tower may import. Nobody imports the tower."""

ALLOWED = {
    room: {lower for step in STAIRCASE[level + 1 :] for lower in step}
    for level, rooms in enumerate(STAIRCASE)
    for room in rooms
} | TOWER

OWNERS = {
    "alembic": {"storage"},
    "argon2": {"credentials"},
    "bcrypt": {"credentials"},
    "click": {"cli"},
    "asgiref": {"verifier/django.py"},
    "cryptography": {"jose", "keyring"},
    "django": {"verifier/django.py"},
    "fastapi": set(),
    "flask": {"web", "verifier/flask.py"},
    "flask_migrate": {"web"},
    "flask_sqlalchemy": {"web"},
    "apiflask": {"web"},
    "granian": {"cli"},
    "jinja2": {"mail", "web"},
    "jwt": {"jose", "keyring"},
    "passlib": {"credentials"},
    "psycopg": {"storage"},
    "pydantic": {"config", "web"},
    "pydantic_settings": {"config"},
    "smtplib": {"mail"},
    "sqlalchemy": {"storage"},
    "sqlite3": {"storage"},
    "starlette": {"verifier/asgi.py"},
    "werkzeug": {"web", "verifier/flask.py"},
}
"""Library → the rooms (or single files) that may import it at run time."""


def imports(source: str, *, at_run_time: bool) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it; without those of `if TYPE_CHECKING` for `at_run_time`."""
    pending: list[ast.AST] = [ast.parse(source)]
    while pending:
        node = pending.pop()
        if at_run_time and isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which room they reach"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        pending.extend(ast.iter_child_nodes(node))


def breaches(path: str, source: str) -> list[str]:
    """What the module at `path` (relative to the package) imports and may not."""
    room = path.partition("/")[0].removesuffix(".py")
    allowed = ALLOWED.get(room, set()) | {room}
    own = [name.split(".") for name in imports(source, at_run_time=False) if name.startswith("authserver.")]
    upward = [parts[1] for parts in own if parts[1] not in allowed and parts[1] != "__version__"]
    libraries = {name.partition(".")[0] for name in imports(source, at_run_time=True)}
    foreign = [name for name in libraries if name in OWNERS and not OWNERS[name] & {room, path}]
    return sorted(f"{path} imports {name}" for name in {*upward, *foreign})


def test_imports_run_down_the_stairs_only() -> None:
    found = [
        breach
        for file in sorted(PACKAGE.rglob("*.py"))
        for breach in breaches(file.relative_to(PACKAGE).as_posix(), file.read_text())
    ]
    assert found == []


def test_every_room_has_its_step() -> None:
    """A new room decides where it stands before it is built."""
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or any(path.rglob("*.py"))}
    assert rooms - {"__init__", "__pycache__", "migrations"} <= ALLOWED.keys()


@pytest.mark.parametrize(
    ("path", "source", "breach"),
    [
        ("sessions/rotation.py", "from authserver.storage import open", "sessions/rotation.py imports storage"),
        ("grants/code.py", "import authserver.authentication.sign_in", "grants/code.py imports accounts"),
        ("web/api.py", "from authserver import verifier", "web/api.py imports verifier"),
        ("verifier/jwks.py", "from authserver.keyring import keys", "verifier/jwks.py imports keyring"),
        (
            "realm/client_registry.py",
            "def f():\n    import sqlalchemy.orm",
            "realm/client_registry.py imports sqlalchemy",
        ),
        ("verifier/core.py", "from flask import g", "verifier/core.py imports flask"),
        ("realm.py", "if TYPE_CHECKING:\n    from authserver import web", "realm.py imports web"),
        ("realm.py", "if TYPE_CHECKING:\n    pass\nelse:\n    import flask", "realm.py imports flask"),
    ],
)
def test_a_breach_is_found(path: str, source: str, breach: str) -> None:
    assert breaches(path, source) == [breach]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("verifier/flask.py", "from flask import request\nfrom authserver.jose import jwk"),
        ("realm.py", "if TYPE_CHECKING:\n    from sqlalchemy import Connection"),
        ("web/api.py", "from authserver.authentication import sign_in\nfrom authserver import __version__"),
    ],
)
def test_what_the_house_allows_passes(path: str, source: str) -> None:
    assert breaches(path, source) == []
