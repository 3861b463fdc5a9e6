"""The house: rooms on one staircase, imports strictly downward, each library in the room that owns it."""

import ast
from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "authserver"

Staircase = Sequence[tuple[str, ...]]

STAIRCASE: Staircase = (
    ("__main__",),
    ("cli", "development", "embedding"),
    ("app",),
    ("assembly",),
    ("server",),
    ("web",),
    ("upkeep",),
    ("administration",),
    ("account", "authorization", "grants"),
    ("authentication",),
    ("clients", "custody", "tokens"),
    ("realm", "config"),
    ("revocation",),
    ("deliveries",),
    ("mail",),
    ("storage",),
    ("keyring", "credentials"),
    ("sessions", "branding"),
    ("records",),
    ("jose",),
    ("protocol",),
    ("trusted_time", "patience", "outbound"),
    ("clock",),
)
"""From the top of the stairs down; rooms of one step do not import each other."""

WITHIN: dict[str, Staircase] = {
    "web": (
        ("migrating",),
        ("application",),
        ("binding", "discovery", "errors", "health"),
        ("edge",),
        ("api", "oauth", "pages"),
        ("limits",),
        ("context", "problem"),
        ("answers", "authorization", "cookies", "site", "source"),
    ),
}
"""Room → the stairs inside it: folders, and the files beside them. Assembly on top, then doors, then Flask's glue."""

TOWER = {"verifier": {"protocol", "jose", "clock"}}
"""Beside the stairs: what the tower may import. Nobody imports the tower."""


def below(staircase: Staircase) -> dict[str, set[str]]:
    """What each may import: what stands on a lower step."""
    return {
        one: {lower for step in staircase[level + 1 :] for lower in step}
        for level, step in enumerate(staircase)
        for one in step
    }


BLIND: dict[str, dict[str, set[str]]] = {
    "cli": {"storage": set()},
    "web": {"storage": {"web/binding.py", "web/migrating.py"}},  # hand storage's engine to those who write migrations
}
"""Doors see records, never storage: room → what it may not import although that lies below → files that have to."""

ALLOWED = below(STAIRCASE) | TOWER
ALLOWED_WITHIN = {room: below(stairs) for room, stairs in WITHIN.items()}

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
    "granian": {"server"},
    "jinja2": {"mail", "web/pages"},
    "jwt": {"jose", "keyring"},
    "passlib": {"credentials"},
    "psycopg": {"storage"},
    "pydantic": {"config", "web"},
    "pydantic_settings": {"config"},
    "smtplib": {"deliveries"},
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
    room, second = [*path.removesuffix(".py").split("/"), ""][:2]
    own = [name.split(".") for name in imports(source, at_run_time=False) if name.startswith("authserver.")]
    unseen = {name for name, but in BLIND.get(room, {}).items() if path not in but}
    allowed = {*ALLOWED.get(room, ()), room, "__version__"} - unseen
    upward = [parts[1] for parts in own if parts[1] not in allowed]
    inside = {parts[2] for parts in own if parts[1] == room and len(parts) > 2} if room in WITHIN else set()
    sideways = (
        [f"{room}/{name}" for name in inside - {second} - ALLOWED_WITHIN[room].get(second, set())] if inside else []
    )
    libraries = {name.partition(".")[0] for name in imports(source, at_run_time=True)}
    foreign = [name for name in libraries if name in OWNERS and not OWNERS[name] & {room, f"{room}/{second}", path}]
    return sorted(f"{path} imports {name}" for name in {*upward, *sideways, *foreign})


def modules() -> dict[str, Path]:
    """The dotted name of each module of the package."""
    files = {file.relative_to(PACKAGE.parent).with_suffix("").parts: file for file in PACKAGE.rglob("*.py")}
    return {".".join(parts).removesuffix(".__init__"): file for parts, file in files.items()}


def find_circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of imports, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def test_imports_run_down_the_stairs_only() -> None:
    found = [
        breach
        for file in sorted(PACKAGE.rglob("*.py"))
        for breach in breaches(file.relative_to(PACKAGE).as_posix(), file.read_text())
    ]
    assert found == []


def test_no_import_goes_round_in_a_circle() -> None:
    """Inside a room, too: of two files that need each other, one idea is in the wrong place."""
    known = modules()
    graph = {
        name: {
            next(module for module in (imported, imported.rpartition(".")[0]) if module in known)
            for imported in imports(file.read_text(), at_run_time=False)
            if imported.startswith("authserver.") and imported != "authserver.__version__"
        }
        for name, file in known.items()
    }
    assert find_circle(graph) == []


def test_a_circle_is_found() -> None:
    assert set(find_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}


@pytest.mark.parametrize("room", ["", *WITHIN])
def test_every_room_has_its_step(room: str) -> None:
    """A new room decides where it stands before it is built, and so does what is new in a room with stairs."""
    steps = ALLOWED_WITHIN[room] if room else ALLOWED
    found = {path.stem for path in (PACKAGE / room).iterdir() if path.suffix == ".py" or any(path.rglob("*.py"))}
    assert found - {"__init__", "__pycache__", "migrations"} == set(steps)


def test_a_room_with_several_folders_has_stairs() -> None:
    parts = {
        room.name: [part.name for part in room.iterdir() if (part / "__init__.py").exists()]
        for room in PACKAGE.iterdir()
        if room.is_dir()
    }
    assert {room for room, folders in parts.items() if len(folders) > 1} == set(WITHIN)


def test_no_step_is_named_twice() -> None:
    for stairs in (STAIRCASE, *WITHIN.values()):
        names = sorted(name for step in stairs for name in step)
        assert all(one != other for one, other in pairwise(names))


@pytest.mark.parametrize(
    ("path", "source", "breach"),
    [
        ("sessions/rotation.py", "from authserver.storage import open", "sessions/rotation.py imports storage"),
        ("grants/code.py", "import authserver.account.register", "grants/code.py imports account"),
        ("records/user.py", "from authserver.sessions import scope", "records/user.py imports sessions"),
        ("web/api/x.py", "from authserver import verifier", "web/api/x.py imports verifier"),
        ("web/api/x.py", "from authserver.web.pages import words", "web/api/x.py imports web/pages"),
        ("web/oauth/x.py", "from authserver.web.api.body import Body", "web/oauth/x.py imports web/api"),
        ("web/oauth/x.py", "from authserver.web.edge import cors", "web/oauth/x.py imports web/edge"),
        ("web/cookies.py", "from authserver.web.context import current_realm", "web/cookies.py imports web/context"),
        ("web/context.py", "import authserver.web.limits.tries", "web/context.py imports web/limits"),
        ("web/api/x.py", "from authserver.storage.users import find", "web/api/x.py imports storage"),
        ("web/errors.py", "from authserver.storage import Database", "web/errors.py imports storage"),
        ("cli/x.py", "def f():\n    from authserver.storage import users", "cli/x.py imports storage"),
        ("web/unknown.py", "from authserver.web import cookies", "web/unknown.py imports web/cookies"),
        ("verifier/jwks.py", "from authserver.keyring import keys", "verifier/jwks.py imports keyring"),
        (
            "clients/authentication.py",
            "def f():\n    import sqlalchemy",
            "clients/authentication.py imports sqlalchemy",
        ),
        ("verifier/core.py", "from flask import g", "verifier/core.py imports flask"),
        ("web/edge/x.py", "import jinja2", "web/edge/x.py imports jinja2"),
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
        ("web/api/x.py", "from authserver.authentication import sign_in\nfrom authserver import __version__"),
        ("web/pages/x.py", "from authserver.web.pages import words\nfrom authserver.web.context import current_realm"),
        ("web/binding.py", "from authserver.storage.schema import Base"),
        ("web/application.py", "from authserver.web.edge.cors import allow_origins\nimport flask"),
    ],
)
def test_what_the_house_allows_passes(path: str, source: str) -> None:
    assert breaches(path, source) == []
