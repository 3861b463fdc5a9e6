"""A command does its work whole, whatever happens to what it prints."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import click
import pytest

from tests.support.faults.mute import MUTE, PASSWORD, SIGN_IN
from tests.support.people.shell import load_every_command
from tests.support.world.databases import SqliteDatabases
from tests.support.world.processes import PATIENCE
from tests.support.world.server import PRODUCT, Installation, install
from tests.support.world.warm_start import WarmProcess

PEOPLE = ("ada", "grace", "heidi", "ivan", "judy")
ADA, GRACE, HEIDI, IVAN, JUDY = (f"{name}@example.test" for name in PEOPLE)

SCRIPT: Final[tuple[tuple[str, str], ...]] = (
    ("init", ""),
    *((f"users create {email} --password-stdin", PASSWORD) for email in (ADA, GRACE, HEIDI, IVAN, JUDY)),
    (SIGN_IN, ""),
    ("users list", ""),
    (f"users show {ADA} --json", ""),
    (f"users set-password {ADA} --password-stdin", f"{PASSWORD} too"),
    (f"users lock {GRACE}", ""),
    (f"users unlock {GRACE}", ""),
    (f"users disable {HEIDI}", ""),
    (f"users enable {HEIDI}", ""),
    (f"users roles {GRACE} admin", ""),
    (f"users delete {JUDY} --yes", ""),
    ("users import people.csv", ""),
    ("sessions list", ""),
    (f"sessions revoke {{sid:{IVAN}}}", ""),
    ("policy show", ""),
    (f"policy explain password_changed --user {GRACE}", ""),
    ("users revoke --all --yes", ""),
    ("clients create Shop --confidential", ""),
    ("clients create Press --public --json", ""),
    ("clients list", ""),
    ("clients show {client:Shop}", ""),
    ("clients update {client:Shop} --name Shop --scope openid", ""),
    ("clients rotate-secret {client:Shop} --overlap 24h", ""),
    ("clients end-former-secret {client:Shop}", ""),
    ("clients disable {client:Shop}", ""),
    ("clients enable {client:Shop}", ""),
    ("clients delete {client:Press} --yes", ""),
    ("clients registration-token --scope openid", ""),
    ("clients registration-tokens", ""),
    ("clients end-registration-token {registration:openid}", ""),
    ("keys list", ""),
    ("keys stage --mac", ""),
    ("keys stage --alg EdDSA", ""),
    ("keys rotate", ""),
    ("keys promote --force", ""),
    ("keys retire {key:retiring} --force", ""),
    ("keys import key.pem", ""),
    ("keys compromise {key:active}", ""),
    ("keys jwks", ""),
    ("keys create-master", ""),
    ("keys rewrap", ""),
    ("db current", ""),
    ("db check", ""),
    ("db upgrade", ""),
    ("db prune", ""),
    ("db backup copy.db", ""),
    ("audit list", ""),
    ("audit tail", ""),
    ("db restored --yes", ""),
    ("init --demo", ""),
    ("users show nobody@example.test", ""),
    ("dance", ""),
)
"""Every command, in an order in which each has something to do; the last two are refused."""

COMMANDS: Final = tuple(command for command, _ in SCRIPT if command != SIGN_IN)
SHOWN_ONCE: Final = (
    "clients create Shop --confidential",
    "clients rotate-secret {client:Shop} --overlap 24h",
    "clients registration-token --scope openid",
    "init --demo",
)
REFUSED: Final = {"users show nobody@example.test": 1, "dance": 2}


def leaves(command: click.Command, *path: str) -> list[str]:
    if not isinstance(command, click.Group):
        return [" ".join(path)]
    return [leaf for name, one in command.commands.items() for leaf in leaves(one, *path, name)]


def test_the_script_has_every_command() -> None:
    missing = [
        leaf for leaf in leaves(load_every_command()) if not any(f"{one} ".startswith(f"{leaf} ") for one in COMMANDS)
    ]
    assert missing == ["serve"]  # tests/journeys/test_mute_server.py


@pytest.fixture
def installation(tmp_path: Path, sqlite_databases: SqliteDatabases) -> Installation:
    return install(tmp_path, sqlite_databases.migrated())


def begin(name: str, folder: Path, databases: SqliteDatabases) -> tuple[Installation, WarmProcess]:
    """An installation of its own, in which the script runs with its output spoiled in the way `name`."""
    folder.mkdir()
    installation = install(folder, databases.migrated())
    (folder / "script.json").write_text(json.dumps(SCRIPT))
    (folder / "people.csv").write_text("email\nkarl@example.test\n")
    pem = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], check=True, capture_output=True).stdout
    (folder / "key.pem").write_bytes(pem)
    outputs = (folder / "stdout", folder / "stderr")
    # Or else `keys rotate` would find a MAC key due where the script is slow, and none where it is quick.
    environment = {**installation.environment, "AUTHSERVER_KEY_ROTATION_INTERVAL": "86400"}
    return installation, WarmProcess(MUTE[name], (), folder, environment, outputs)


def describe(installation: Installation) -> dict[str, Any]:
    """What an installation holds, without what is another in each."""

    def show(*words: str, members: tuple[str, ...]) -> Counter[tuple[Any, ...]]:
        (rows,) = json.loads(installation.type(*words, "--json").stdout).values()
        return Counter(tuple(str(row[member]) for member in members) for row in rows)

    return {
        "users": show("users", "list", members=("email", "state", "roles")),
        "sessions": show("sessions", "list", members=("email",)),
        "clients": show("clients", "list", members=("name", "state", "scope")),
        "keys": show("keys", "list", members=("state", "purpose", "algorithm")),
        "audit": show("audit", "list", "--limit", "10000", members=("name", "outcome")),
        "master keys": len(list(installation.keys.glob("*.key"))),
    }


def test_every_command_does_its_work_whole_whatever_becomes_of_its_output(
    tmp_path: Path, sqlite_databases: SqliteDatabases
) -> None:
    """A full disk, a pipe that nobody reads, or a closed stream behind stdout and stderr change the status at most.

    The status is 1 where words are lost that nobody chose to lose, and where a secret is lost that is shown once.
    """
    walks = {name: begin(name, tmp_path / name, sqlite_databases) for name in MUTE}
    for _, process in walks.values():
        assert process.wait(PATIENCE * 6) == 0
    installations = {name: installation for name, (installation, _) in walks.items()}
    statuses = {
        name: dict(zip(COMMANDS, json.loads((one.folder / "statuses.json").read_text()), strict=True))
        for name, one in installations.items()
    }
    assert statuses["whole"] == dict.fromkeys(COMMANDS, 0) | REFUSED
    assert statuses["fill"] == dict.fromkeys(COMMANDS, 1) | REFUSED
    assert statuses["close"] == dict.fromkeys(COMMANDS, 1) | REFUSED
    assert statuses["cut"] == dict.fromkeys(COMMANDS, 0) | dict.fromkeys(SHOWN_ONCE, 1) | REFUSED
    whole = describe(installations["whole"])
    assert len(whole["users"]) == len(PEOPLE) + 1
    for installation in installations.values():
        assert describe(installation) == whole


def type_in_bash(installation: Installation, redirection: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """`authserver WORDS REDIRECTION`, with the exit status of `authserver`: a process as an operator's."""
    line = ["bash", "-c", f'"$@" {redirection}; exit ${{PIPESTATUS[0]}}', "bash", sys.executable, *PRODUCT, *words]
    return subprocess.run(
        line, env=installation.environment, capture_output=True, text=True, check=False, timeout=PATIENCE * 2
    )


@pytest.mark.parametrize(
    ("redirection", "status", "reason"),
    [
        ("> /dev/full", 1, "No space left on device"),
        (">&-", 1, "Bad file descriptor"),
        ("| true", 0, None),
        ("2> /dev/full", 0, None),
        ("2>&-", 0, None),
        ("<&- >&- 2>&-", 1, None),
    ],
)
def test_a_lost_output_is_one_line_or_silence(
    installation: Installation, redirection: str, status: int, reason: str | None
) -> None:
    """Also from the interpreter, which flushes at its end. A reader who had enough is no failure."""
    ended = type_in_bash(installation, redirection, "policy", "show")
    said = f"Error: the command is done, but its output could not be written: {reason}\n" if reason else ""
    assert (ended.returncode, ended.stderr) == (status, said)


def test_a_secret_that_was_not_shown_names_the_way_to_another(installation: Installation) -> None:
    """It cannot be read again, and the client that it belongs to was not named either."""
    ended = type_in_bash(installation, "> /dev/full", "clients", "create", "Shop", "--confidential")
    client_id = json.loads(installation.type("clients", "list", "--json").stdout)["clients"][-1]["client_id"]
    lost = f"Error: the secret of {client_id} could not be shown (No space left on device) and is lost"
    remedy = f"run: authserver clients rotate-secret {client_id}"
    assert (ended.returncode, ended.stderr) == (1, f"{lost}; {remedy}\n")


def test_a_new_secret_that_was_lost_leaves_the_one_in_use(installation: Installation) -> None:
    """The remedy of a rotation with an overlap must not end the secret that the application still has."""
    created = json.loads(installation.type("clients", "create", "Shop", "--confidential", "--json").stdout)
    ended = type_in_bash(
        installation, "> /dev/full", "clients", "rotate-secret", created["client_id"], "--overlap", "1h"
    )
    assert f"rotate-secret {created['client_id']} --keep-former\n" in ended.stderr


def test_following_the_audit_record_ends_with_its_reader(installation: Installation) -> None:
    """The reader takes all that is written and leaves; there is no later record that could not be written."""
    ended = type_in_bash(installation, "| head -1", "audit", "tail", "--follow", "-n", "1")
    assert (len(ended.stdout.splitlines()), ended.stderr, ended.returncode) == (1, "", 0)


def test_a_character_that_the_terminal_lacks_ends_no_act(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name in another script, at a terminal of another: it is spelled out."""
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    ended = type_in_bash(installation, "| cat", "clients", "create", "Ł\N{EN DASH}x", "--public")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\\u0141\\u2013x" in ended.stdout
