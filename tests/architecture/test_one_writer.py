"""`revocation` is the only writer of password hashes, roles, account states, versions and endings (design §5)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "authserver"

RESERVED = {
    "users": {"write_change", "raise_token_version"},
    "sessions": {"end"},
    "families": {"end_of_sessions", "end_one"},
    "links": {"end_pending", "end_since"},
    "codes": {"end_unused"},
    "client_sessions": {"end"},
    "device_authorizations": {"end_open"},
    "consents": {"forget_all"},
    "clients": {"disable", "enable"},
    "client_holdings": {"remove_families", "remove_client_sessions", "remove_client"},
}
"""Module of `storage` → statements that only `revocation` may call.

Not reserved, because they end nothing against anybody's will: `links.use` (a link is used up by the act that it is
for, in the same transaction) and `links.end_purpose` (a newer link of the same purpose takes an older one's place).
`db restored` ends everything of everybody through `restore`, which no event is about.
"""

WRITERS = {
    "users.py": {
        "User": {
            "write_change": "for revocation",
            "raise_token_version": "for revocation",
            "write_profile": "what a user says of himself is no credential",
        }
    },
    "sessions.py": {
        "Session": {
            "end": "for revocation",
        }
    },
    "browsers.py": {
        "Session": {
            "hand_over": "who has proved to be who he is gets a new cookie; nothing ends",
            "touch": "when the browser was seen last",
        }
    },
    "families.py": {
        "RefreshTokenFamily": {
            "mark_late_retry": "notes a retry; no ending",
            "bind": "binds a family to the key of its client; no ending",
            "_end": "for revocation, through end_of_sessions and end_one",
        }
    },
    "client_holdings.py": {
        "RefreshTokenFamily": {"remove_families": "of a client that is deleted, for revocation"},
        "Session": {"remove_client": "the same: the session no longer says that it began with that client"},
    },
    "rotation.py": {"RefreshTokenFamily": {"_rotation_statement": "the hot statement: the next generation"}},
    "restore.py": {
        "User": {"lift_versions": "after a restored backup, of all users at once"},
        "Session": {"end_everything": "the same"},
        "RefreshTokenFamily": {"end_everything": "the same"},
    },
    "prune.py": {
        "Session": {"prune_sessions": "over for good"},
        "RefreshTokenFamily": {"prune_families": "over for good"},
    },
}
"""File of `storage` → table → functions that update or delete its rows, each with its reason."""


def reserved_calls(source: str) -> list[str]:
    """The reserved statements that a module calls, however it imports them."""
    tree = ast.parse(source)
    aliases = {
        (name.asname or name.name): name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "authserver.storage"
        for name in node.names
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = aliases.get(node.value.id)
            if module is not None and node.attr in RESERVED.get(module, ()):
                found.append(f"{module}.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            module = node.module.removeprefix("authserver.storage.")
            found += [f"{module}.{name.name}" for name in node.names if name.name in RESERVED.get(module, ())]
    return sorted(found)


def writers(source: str) -> Iterator[tuple[str, str]]:
    """(table, function) of each `update(…)` and `delete(…)` on a table that holds standing or endings."""
    tree = ast.parse(source)
    names = {
        (name.asname or name.name): name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "authserver.storage.schema"
        for name in node.names
    }
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id in {"update", "delete"} and call.args:
                table = names.get(ast.unparse(call.args[0]))
                if table in {"User", "Session", "RefreshTokenFamily"}:
                    yield table, function.name


def test_only_revocation_calls_the_statements_that_end_and_change() -> None:
    """ASVS 2.3.3: whoever wants an ending reports an event, so that it is decided, told and recorded."""
    found = {
        path.relative_to(PACKAGE).as_posix(): calls
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] not in {"revocation", "storage"}
        and (calls := reserved_calls(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_the_reserved_statements_exist() -> None:
    for module, functions in RESERVED.items():
        tree = ast.parse((PACKAGE / "storage" / f"{module}.py").read_text(encoding="utf-8"))
        assert functions <= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, module


def test_every_statement_that_writes_standing_or_endings_is_known() -> None:
    """A new one is either reserved, or has a reason here."""
    found: dict[str, dict[str, set[str]]] = {}
    for path in sorted((PACKAGE / "storage").glob("*.py")):
        for table, function in writers(path.read_text(encoding="utf-8")):
            found.setdefault(path.name, {}).setdefault(table, set()).add(function)
    assert found == {file: {table: set(known) for table, known in tables.items()} for file, tables in WRITERS.items()}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from authserver.storage import users\nusers.write_change(tx)", ["users.write_change"]),
        ("from authserver.storage import sessions as s\ns.end(tx)", ["sessions.end"]),
        ("from authserver.storage.families import end_one", ["families.end_one"]),
        ("from authserver.storage import links\nlater = links.end_since", ["links.end_since"]),
        ("from authserver.storage import links\nlinks.use(tx)\nlinks.end_purpose(tx)", []),
        ("from elsewhere import users\nusers.write_change(tx)", []),
    ],
)
def test_a_breach_is_found(source: str, found: list[str]) -> None:
    assert reserved_calls(source) == found
