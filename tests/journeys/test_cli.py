"""The command line as an operator uses it: an installation from nothing, its users, clients, sessions and database."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click
import pytest
import sqlalchemy
from click.testing import CliRunner

from authserver import storage
from authserver.cli.context import Context
from authserver.cli.main import authserver
from authserver.cli.operator import name_operator, this_operator
from authserver.clients.client_secret import digest_secret
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import Refused
from authserver.storage import revision
from authserver.storage.schema import AuditEvent, Base
from authserver.tokens.token_answer import TokenAnswer
from tests.support.people.shell import EMAIL, PASSWORD, Shell, load_every_command
from tests.support.people.terminal import type_at_terminal
from tests.support.world.databases import opened

ROOT = Path(__file__).parents[2]


def _commands(command: click.Command, *path: str) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    return [path, *(found for name, one in command.commands.items() for found in _commands(one, *path, name))]


@pytest.mark.parametrize("path", _commands(load_every_command()), ids=" ".join)
def test_every_command_explains_itself_without_an_installation(path: tuple[str, ...]) -> None:
    """Contract §7. Help reads no setting and opens nothing."""
    result = CliRunner().invoke(authserver, [*path, "--help"], prog_name="authserver")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: {' '.join(('authserver', *path))} ")
    assert len(result.stdout.splitlines()) > 4


def test_every_listing_has_json(shell: Shell, subtests: pytest.Subtests) -> None:
    """Contract §7."""
    for path in (path for path in _commands(load_every_command()) if path[-1:] == ("list",)):
        with subtests.test(path=path):
            assert [type(value) for value in shell.json(*path).values()] == [list]
            assert shell.run(*path)


@pytest.mark.parametrize(
    "words",
    [["users", "create"], ["clients", "create", "x", "--public", "--confidential"], ["dance"], ["init", "--wrong"]],
)
def test_wrong_usage_is_status_2(words: list[str]) -> None:
    """Contract §7. No setting is read before."""
    result = CliRunner().invoke(authserver, words, prog_name="authserver")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: authserver ")


# --- init ------------------------------------------------------------------------------------------------------------


def test_init_leaves_an_installation_that_signs_people_in(bare: Shell) -> None:
    bare.run("init")
    bare.create_user()
    assert isinstance(bare.sign_in(), TokenAnswer)
    assert [key["state"] for key in bare.json("keys", "list")["keys"]].count("active") == 2
    client = bare.json("clients", "show", FIRST_PARTY_CLIENT_ID)
    assert client["kind"] == "public"
    assert client["first_party"] is True
    assert client["scope"] == ["openid", "profile", "email", "admin"]


def test_what_init_makes_is_readable_by_its_owner_only(bare: Shell) -> None:
    bare.run("init")
    for folder in ("var", "keys"):
        assert stat.S_IMODE((bare.home / folder).stat().st_mode) == 0o700
    (master_key,) = (bare.home / "keys").iterdir()
    assert stat.S_IMODE(master_key.stat().st_mode) == 0o600


def test_init_says_what_to_do_next(bare: Shell) -> None:
    printed = bare.run("init")
    assert "authserver users create" in printed
    assert "authserver serve" in printed


def test_a_second_init_changes_nothing(shell: Shell) -> None:
    """Whatever an operator has changed since stays, too."""
    shell.run("clients", "disable", FIRST_PARTY_CLIENT_ID)
    shell.run("keys", "stage", "--alg", "EdDSA")
    before = _everything(shell)
    again = shell.run("init")
    assert _everything(shell) == before
    assert again.count("(already there)") == len([line for line in again.split("\n\n")[0].splitlines() if line])


def test_init_heals_what_is_missing(shell: Shell) -> None:
    """Killed half-way, run again."""
    with opened(os.environ["AUTHSERVER_DATABASE_URL"]) as database, database.write() as tx:
        tx.exec_driver_sql("DELETE FROM clients")
        tx.exec_driver_sql("DELETE FROM keys WHERE purpose = 'mac'")
    shell.run("init")
    shell.create_user()
    assert isinstance(shell.sign_in(), TokenAnswer)


def test_a_lost_master_key_is_not_replaced_in_silence(shell: Shell) -> None:
    """A fresh one would open nothing that is sealed: the operator must bring the right one back."""
    shutil.rmtree(shell.home / "keys")
    result = shell.type("init")
    assert result.exit_code == 1
    assert "copy its file from a backup" in result.stderr
    assert not (shell.home / "keys").exists()


def test_init_where_nothing_may_be_written_is_refused_in_one_line(bare: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    file = bare.home / "file"
    file.touch()
    for home in (file, file / "var"):
        monkeypatch.setenv("AUTHSERVER_HOME", str(home))
        assert f"{home}: " in bare.refuse("init")


def test_init_demo_gives_a_user_who_can_sign_in(bare: Shell) -> None:
    assert isinstance(bare.sign_in(*_demo(bare)), TokenAnswer)


def test_each_init_demo_makes_the_password_another_one_and_ends_what_was(bare: Shell) -> None:
    first = _demo(bare)
    assert isinstance(bare.sign_in(*first), TokenAnswer)
    second = _demo(bare)
    assert isinstance(bare.sign_in(*first), Refused)
    assert bare.json("sessions", "list", "--user", second[0]) == {"sessions": []}
    assert isinstance(bare.sign_in(*second), TokenAnswer)


def test_init_demo_writes_settings_that_open_registration_and_keeps_those_that_are_there(
    bare: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contract §8: `init --demo` writes open and false. An operator's own file is not the demo's to change."""
    printed = bare.run("init", "--demo")
    file = bare.home / "var" / "authserver.toml"
    assert f"AUTHSERVER_CONFIG={file}" in printed
    monkeypatch.setenv("AUTHSERVER_CONFIG", str(file))
    settings = Context().settings
    assert (settings.registration, settings.require_verified_email) == ("open", False)
    file.write_text('REGISTRATION = "closed"\n')
    bare.run("init", "--demo")
    assert file.read_text() == 'REGISTRATION = "closed"\n'


def _demo(shell: Shell) -> tuple[str, str]:
    """E-mail address and password as `init --demo` prints them."""
    printed = {line[:12].strip(): line[13:] for line in shell.run("init", "--demo").splitlines()}
    return printed["demo user"].removesuffix(" (already there)"), printed["password"]


# --- users -----------------------------------------------------------------------------------------------------------


def test_a_created_user_is_listed_shown_and_vouched_for(shell: Shell) -> None:
    created = shell.create_user("Grace@Example.TEST", "--name", "Grace", "--role", "admin", "--role", "auditor")
    assert created["email"] == EMAIL
    assert created["email_verified"] is True
    assert (created["name"], created["roles"], created["state"]) == ("Grace", ["admin", "auditor"], "active")
    assert created["token_version"] == 1
    assert created["created_at"] == created["password_changed_at"] == int(shell.clock.now().timestamp())
    assert shell.json("users", "list") == {"users": [created]}
    assert shell.json("users", "show", EMAIL) == shell.json("users", "show", created["user_id"]) == created


def test_the_password_is_asked_for_twice_at_a_terminal(shell: Shell) -> None:
    status, shown = type_at_terminal(shell.home, "users", "create", EMAIL, answers=(PASSWORD, PASSWORD))
    assert status == 0, shown
    assert PASSWORD not in shown
    assert isinstance(shell.sign_in(), TokenAnswer)


def test_without_a_terminal_a_password_is_not_asked_for(shell: Shell) -> None:
    """Python's `getpass` would warn in three lines that it may echo, and read whatever comes."""
    line = shell.refuse("users", "create", EMAIL, stdin=f"{PASSWORD}\n{PASSWORD}\n")
    assert "--password-stdin" in line
    assert shell.json("users", "list") == {"users": []}
    shell.create_user()
    assert "--password-stdin" in shell.refuse("users", "set-password", EMAIL, stdin=f"{PASSWORD}\n{PASSWORD}\n")


def test_the_end_of_the_line_is_no_part_of_the_password(shell: Shell) -> None:
    """`echo`, `printf` and files from elsewhere all give the same password."""
    for number, ending in enumerate(("", "\n", "\r\n")):
        email = f"{number}@example.test"
        shell.run("users", "create", email, "--password-stdin", stdin=PASSWORD + ending)
        assert isinstance(shell.sign_in(email), TokenAnswer)


def test_spaces_around_a_password_are_part_of_it(shell: Shell) -> None:
    shell.create_user(password=f"  {PASSWORD} ")
    assert isinstance(shell.sign_in(), Refused)
    assert isinstance(shell.sign_in(password=f"  {PASSWORD} "), TokenAnswer)


BAD_USERS: list[tuple[str, tuple[str, ...], str | bytes, str]] = [
    ("nobody", (), f"{PASSWORD}\n", "e-mail address"),
    ("x\0@example.test", (), f"{PASSWORD}\n", "e-mail address"),
    ("x\udcff@example.test", (), f"{PASSWORD}\n", "e-mail address"),
    (EMAIL, ("--name", "Gr\udcffce"), f"{PASSWORD}\n", "name"),
    (EMAIL, ("--name", "x" * 201), f"{PASSWORD}\n", "200"),
    (EMAIL, ("--role", "admin auditor"), f"{PASSWORD}\n", "role"),
    (EMAIL, ("--role", "\udcff"), f"{PASSWORD}\n", "role"),
    (EMAIL, (), "short\n", "10 characters"),
    (EMAIL, (), "", "empty"),
    (EMAIL, (), b"\xff\xfe nine lives and a gate\n", "UTF-8"),
    (EMAIL, (), "nine lives\0 and a gate\n", "character"),
]


def test_what_cannot_be_a_user_is_refused_in_one_line(shell: Shell, subtests: pytest.Subtests) -> None:
    """NUL and lone surrogates, which arguments may hold, end as cleanly as a short password."""
    for email, options, stdin, said in BAD_USERS:
        with subtests.test(email=email, options=options, stdin=stdin):
            assert said in shell.refuse("users", "create", email, *options, "--password-stdin", stdin=stdin)
    assert shell.json("users", "list") == {"users": []}


def test_an_address_belongs_to_one_user(shell: Shell) -> None:
    shell.create_user()
    refusal = shell.refuse("users", "create", EMAIL.upper(), "--password-stdin", stdin=f"{PASSWORD}\n")
    assert "already registered" in refusal


def test_an_unknown_user_is_refused_by_name(shell: Shell, subtests: pytest.Subtests) -> None:
    for who in ("nobody@example.test", "nobody", "", "\0", "\udcff"):
        with subtests.test(who=who):
            assert "There is no user" in shell.refuse("users", "show", who)
            assert "There is no user" in shell.refuse("sessions", "list", "--user", who)


# --- clients ---------------------------------------------------------------------------------------------------------


def test_a_created_client_is_listed_and_shown_without_its_secret(shell: Shell) -> None:
    options = ("--confidential", "--redirect-uri", "https://app.example/back", "--origin", "https://app.example")
    created = shell.json(
        "clients", "create", "Web", *options, "--scope", "openid profile", "--audience", "https://api.example"
    )
    secret = created.pop("client_secret")
    assert created["kind"] == "confidential"
    assert created["redirect_uris"] == ["https://app.example/back"]
    assert created["origins"] == ["https://app.example"]
    assert created["scope"] == ["openid", "profile"]
    assert created["audience"] == ["https://api.example"]
    assert created["first_party"] is False
    shown = shell.json("clients", "show", created["client_id"])
    assert shown == created
    assert shown in shell.json("clients", "list")["clients"]

    def digest(realm: Realm) -> object:
        client = realm.clients.find(created["client_id"])
        return client and client.secret_digest

    assert shell.ask(digest) == digest_secret(Secret(secret))
    assert secret not in shell.run("clients", "show", created["client_id"])


def test_who_can_keep_a_secret_gets_one(shell: Shell, subtests: pytest.Subtests) -> None:
    """RFC 6749 §2.1, RFC 8252 §8.5: no native app does. The text says that it is printed this one time."""
    for kind in ClientKind:
        with subtests.test(kind=kind):
            back = ("--redirect-uri", "https://app.example/") if "authorization_code" in kind.grant_types else ()
            created = shell.json("clients", "create", "Some", f"--{kind.value}", *back)
            assert created["kind"] == kind.value
            assert ("client_secret" in created) == (kind.value in {"confidential", "service", "resource-server"})
            told = shell.type("clients", "create", "Other", f"--{kind.value}", *back).stderr
            assert ("not shown again" in told) == ("client_secret" in created)


def test_a_client_is_public_unless_said_otherwise(shell: Shell) -> None:
    assert shell.json("clients", "create", "Some", "--redirect-uri", "https://app.example/")["kind"] == "public"


_BACK = ("--redirect-uri", "https://a.example/")
BAD_CLIENTS = [
    (("", *_BACK), "name"),
    (("N\0", "--public", *_BACK), "name"),
    (("N\udcff", *_BACK), "name"),
    (("N" * 201, *_BACK), "200"),
    (("N", "--device", *_BACK), "has no redirect URIs"),
    (("N", "--resource-server", "--post-logout-redirect-uri", "https://a.example/"), "has no redirect URIs"),
    (("N", "--redirect-uri", "/back"), "redirect"),
    (("N", "--redirect-uri", "https://a.example/#here"), "fragment"),
    (("N", "--redirect-uri", "http://["), "redirect"),
    (("N", "--redirect-uri", "https://a.example/\0"), "redirect"),
    (("N", "--redirect-uri", "javascript:alert(1)"), "scheme"),
    (("N", "--redirect-uri", "http://a.example/"), "loopback"),
    (("N", "--redirect-uri", "com.example.app:/back"), "scheme"),
    (("N", *_BACK, "--post-logout-redirect-uri", "https://*.a.example/"), "wildcard"),
    (("N", *_BACK, "--origin", "https://a.example/path"), "origin"),
    (("N", *_BACK, "--origin", "http://["), "origin"),
    (("N", *_BACK, "--origin", "https://a\udcff.example"), "origin"),
    (("N", *_BACK, "--audience", "api"), "audience"),
    (("N", *_BACK, "--audience", "urn:\0"), "audience"),
    (("N", *_BACK, "--scope", 'say "hi"'), "scope"),
    (("N", *_BACK, "--scope", "\udcff"), "scope"),
    (("N", "--resource-server", "--first-party"), "resource server"),
    (("N", *_BACK, "--consent", "never"), "first-party"),
    (("N", "--native", "--first-party", "--consent", "never"), "native"),
    (("N", *_BACK, "--access-token-lifetime", "59"), "60 to 300"),
    (("N", *_BACK, "--access-token-lifetime", "301"), "60 to 300"),
    (("N", *_BACK, "--refresh-idle-lifetime", "604801"), "60 to 604800"),
    (("N", *_BACK, "--refresh-idle-lifetime", "59"), "60 to 604800"),
    (("N", *_BACK, "--refresh-absolute-lifetime", "7776001"), "60 to 7776000"),
    (("N", *_BACK, "--refresh-absolute-lifetime", "3600"), "below the idle"),
    (("N", *_BACK, "--retry-window", "604801"), "0 to 604490"),
    (("N", *_BACK, "--late-retry-window", "86401"), "0 to 86400"),
]


def test_what_cannot_be_a_client_is_refused_in_one_line(shell: Shell, subtests: pytest.Subtests) -> None:
    for options, said in BAD_CLIENTS:
        with subtests.test(options=options):
            refusal = shell.refuse("clients", "create", *options)
            assert said in refusal
            assert "; " not in refusal, "one thing is wrong, one thing is said"
    assert len(shell.json("clients", "list")["clients"]) == 1


def test_a_disabled_client_signs_nobody_in_until_it_is_enabled(shell: Shell) -> None:
    shell.create_user()
    shell.run("clients", "disable", FIRST_PARTY_CLIENT_ID)
    assert isinstance(shell.sign_in(), Refused)
    assert shell.json("clients", "show", FIRST_PARTY_CLIENT_ID)["state"] == "disabled"
    shell.run("clients", "enable", FIRST_PARTY_CLIENT_ID)
    assert isinstance(shell.sign_in(), TokenAnswer)


def test_an_unknown_client_is_refused_by_name(shell: Shell, subtests: pytest.Subtests) -> None:
    for verb in ("show", "disable", "enable"):
        for client_id in ("nothing", "\0", "\udcff"):
            with subtests.test(verb=verb, client_id=client_id):
                assert "There is no client" in shell.refuse("clients", verb, client_id)


# --- sessions --------------------------------------------------------------------------------------------------------


def test_sessions_are_listed_and_one_of_them_ended(shell: Shell) -> None:
    user = shell.create_user()
    phone, laptop = shell.sign_in(device="phone"), shell.sign_in(device="laptop")
    assert isinstance(phone, TokenAnswer)
    assert isinstance(laptop, TokenAnswer)
    listed = shell.json("sessions", "list", "--user", EMAIL)["sessions"]
    assert {session["sid"] for session in listed} == {phone.sid, laptop.sid}
    assert {session["device_id"] for session in listed} == {"phone", "laptop"}
    assert {session["user_id"] for session in listed} == {user["user_id"]}
    assert shell.json("sessions", "revoke", phone.sid)["sessions_ended"] == 1
    assert [session["sid"] for session in shell.json("sessions", "list", "--user", EMAIL)["sessions"]] == [laptop.sid]
    assert shell.json("sessions", "revoke", phone.sid)["sessions_ended"] == 0
    assert phone.sid not in shell.run("sessions", "list")


def test_an_operator_stands_in_the_audit_record(shell: Shell) -> None:
    shell.create_user()
    session = shell.sign_in()
    assert isinstance(session, TokenAnswer)
    shell.run("sessions", "revoke", session.sid)
    with opened(os.environ["AUTHSERVER_DATABASE_URL"]) as database, database.read() as tx:
        query = sqlalchemy.select(AuditEvent.actor, AuditEvent.sid).where(AuditEvent.name == "session_revoked")
        assert tx.execute(query).one() == (this_operator(), session.sid)
    listed = next(line for line in shell.run("audit", "list").splitlines() if "session_revoked" in line)
    assert this_operator() in listed


def test_an_unknown_session_is_refused_by_name(shell: Shell, subtests: pytest.Subtests) -> None:
    for sid in ("nothing", "", "\0", "\udcff"):
        with subtests.test(sid=sid):
            assert "There is no session" in shell.refuse("sessions", "revoke", sid)


# --- db --------------------------------------------------------------------------------------------------------------


def test_the_schema_is_brought_up_and_found_right(bare: Shell) -> None:
    (bare.home / "var").mkdir()
    assert "authserver db upgrade" in bare.type("db", "current").stderr
    assert revision.head() in bare.run("db", "upgrade")
    assert revision.head() in bare.run("db", "current")
    assert bare.run("db", "check")
    assert "already" in bare.run("db", "upgrade")


def test_a_schema_that_differs_is_status_1_and_says_where(shell: Shell) -> None:
    with opened(os.environ["AUTHSERVER_DATABASE_URL"]) as database, database.write() as tx:
        tx.exec_driver_sql("DROP INDEX ix_sessions_user_id")
    assert "index ix_sessions_user_id is missing" in shell.refuse("db", "check")


def test_pruning_says_what_went(shell: Shell) -> None:
    shell.create_user()
    session = shell.sign_in()
    assert isinstance(session, TokenAnswer)
    shell.run("sessions", "revoke", session.sid)
    shell.clock.advance(timedelta(days=31))
    assert "1 families, 1 sessions" in shell.run("db", "prune", "--confirm-clock")
    assert "0 families, 0 sessions" in shell.run("db", "prune")


def test_what_destroys_by_the_clock_asks_whether_it_is_right(shell: Shell) -> None:
    """Nobody served for ten years, or the clock is wrong: the operator knows. Their word holds for what follows."""
    active = shell.json("keys", "list")["keys"][0]["kid"]
    commands = [
        ("db", "prune"),
        ("keys", "rotate"),
        ("keys", "promote"),
        ("keys", "retire", active),
        ("keys", "rewrap"),
    ]
    shell.clock.advance(timedelta(days=3650))
    for words in commands:
        line = shell.refuse(*words)
        assert "the clock says 2035-12-30" in line
        assert "--confirm-clock" in line
    shell.run("keys", "rotate", "--confirm-clock")
    shell.run("db", "prune")


def test_a_backup_may_be_older_than_the_clock_but_not_younger(shell: Shell) -> None:
    """By a clock that is ahead, resource servers would refuse everything for as long; the question shows it."""
    shell.clock.set_wall(shell.clock.now() - timedelta(days=1))
    assert "--confirm-clock" in shell.refuse("db", "restored", "--yes")
    shell.clock.advance(timedelta(days=300))
    asked = shell.refuse("db", "restored", stdin="y\n")
    assert "2026-10-27 12:00 UTC" in asked
    shell.run("db", "restored", "--yes")


def _options_of(command: click.Command, *path: str) -> Iterator[tuple[str, set[str]]]:
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from _options_of(one, *path, name)
    else:
        yield " ".join(path), {option for parameter in command.params for option in parameter.opts}


QUESTIONS = {
    "users delete": [EMAIL],
    "users revoke": ["--all"],
    "clients delete": ["Shop"],
    "db restored": [],
}
"""The commands that ask before they act."""


def test_what_deletes_has_a_question() -> None:
    asking = {path for path, options in _options_of(load_every_command()) if "--yes" in options}
    assert asking == QUESTIONS.keys()
    assert {path for path, _ in _options_of(load_every_command()) if path.endswith(" delete")} <= asking


@pytest.mark.parametrize("command", QUESTIONS)
def test_without_a_terminal_a_question_is_refused_and_nothing_is_done(shell: Shell, command: str) -> None:
    """Contract §7. Not even a piped `y` answers: nobody has read the question."""
    shell.create_user()
    assert isinstance(shell.sign_in(), TokenAnswer)
    shop = shell.json("clients", "create", "Shop", "--resource-server")["client_id"]
    words = [shop if word == "Shop" else word for word in QUESTIONS[command]]

    def look() -> object:
        return [shell.json(*listing) for listing in (("users", "list"), ("clients", "list"), ("sessions", "list"))]

    before = look()
    assert "--yes" in shell.refuse(*command.split(), *words, stdin="y\n")
    assert look() == before
    assert shell.type(*command.split(), *words, "--yes").exit_code == 0
    assert look() != before


def test_at_a_terminal_the_answer_counts(shell: Shell) -> None:
    shell.create_user()
    status, shown = type_at_terminal(shell.home, "users", "delete", EMAIL, answers=("n",))
    assert (status, f"Delete {EMAIL}" in shown, "Aborted" in shown) == (1, True, True), shown
    assert len(shell.json("users", "list")["users"]) == 1
    status, shown = type_at_terminal(shell.home, "users", "delete", EMAIL, answers=("y",))
    assert (status, f"{EMAIL} is deleted" in shown) == (0, True), shown
    assert shell.json("users", "list") == {"users": []}


@pytest.mark.parametrize(
    ("sudo_user", "uid", "name"),
    [
        ("ada", 0, "cli:ada"),
        ("", 0, "cli:root"),
        ("a\nb", 0, "cli:root"),
        ("\udcff", 0, "cli:root"),
        ("x" * 65, 0, "cli:root"),
        ("", 4_000_000, "cli:4000000"),
    ],
)
def test_who_types_is_named_by_sudo_or_by_their_login(sudo_user: str, uid: int, name: str) -> None:
    assert name_operator(sudo_user, uid) == name


def test_the_login_before_sudo_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """And $USER, which anybody sets, says nothing."""
    monkeypatch.setenv("USER", "mallory")
    monkeypatch.setenv("SUDO_USER", "ada")
    assert this_operator() == "cli:ada"
    monkeypatch.delenv("SUDO_USER")
    assert this_operator() != "cli:mallory"


def test_a_command_before_init_says_what_to_run(bare: Shell) -> None:
    line = bare.refuse("users", "list")
    assert "authserver init" in line or "authserver db upgrade" in line


def test_a_database_that_is_away_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    away = {"sqlite": "sqlite:////nowhere/at/all.db", "postgresql": "postgresql://nobody:hush@127.0.0.1:1/none"}
    with opened(os.environ["AUTHSERVER_DATABASE_URL"]) as database:
        monkeypatch.setenv("AUTHSERVER_DATABASE_URL", away[database.dialect])
    line = shell.refuse("users", "list")
    assert "database" in line
    assert "hush" not in line


# --- as a process ----------------------------------------------------------------------------------------------------


def test_from_an_empty_folder_to_a_listed_user(tmp_path: Path) -> None:
    """Real processes, the real clock, no setting at all: `authserver init && authserver users create … && …`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(*words: str, stdin: str = "") -> str:
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", "from authserver.cli import main; raise SystemExit(main())", *words],
            cwd=tmp_path,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    run("init")
    run("users", "create", EMAIL, "--password-stdin", stdin=f"{PASSWORD}\n")
    (user,) = json.loads(run("users", "list", "--json"))["users"]
    assert user["email"] == EMAIL
    assert {path.name for path in tmp_path.iterdir()} == {"var", "keys"}
    with sqlite3.connect(tmp_path / "var" / "authserver.db") as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (1,)
    connection.close()


def _everything(shell: Shell) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, and all master keys."""
    database = storage.open(os.environ["AUTHSERVER_DATABASE_URL"])
    with database.read() as tx:
        rows = {
            table.name: sorted(map(tuple, tx.execute(sqlalchemy.select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }
    database.dispose()
    rows["master keys"] = [(path.name, path.read_bytes()) for path in sorted((shell.home / "keys").iterdir())]
    return rows
