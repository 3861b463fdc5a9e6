"""What an operator does to users, and how he looks before he does it: acts, dry runs, policy, audit record, import."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from authserver.cli.context import Context
from authserver.cli.main import authserver
from authserver.cli.operator import this_operator
from authserver.credentials.events import EVENTS
from authserver.realm.outcomes import Refused
from authserver.tokens.token_answer import TokenAnswer
from tests.support.people.refreshing import refresh
from tests.support.people.shell import EMAIL, PASSWORD, Shell

OTHER = "quite another garden gate"
OTHER_EMAIL = "heidi@example.test"

ACTS: list[tuple[str, list[str], str]] = [
    ("set-password", ["--password-stdin"], f"{OTHER}\n"),
    ("lock", [], ""),
    ("unlock", [], ""),
    ("disable", [], ""),
    ("enable", [], ""),
    ("delete", ["--yes"], ""),
    ("roles", ["admin", "auditor"], ""),
    ("revoke", [], ""),
]
UNDOES = {"unlock": "lock", "enable": "disable"}
"""What has to be done before, or there is nothing to do and nothing is recorded."""


def sign_in(shell: Shell, email: str = EMAIL, password: str = PASSWORD) -> TokenAnswer:
    answer = shell.sign_in(email, password)
    assert isinstance(answer, TokenAnswer), answer
    return answer


def lives(shell: Shell, session: TokenAnswer) -> bool:
    return isinstance(shell.ask(lambda realm: refresh(realm, session.refresh_token)), TokenAnswer)


def audited(shell: Shell, *options: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = shell.json("audit", "list", *options)["events"]
    return events


# --- acts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("act", "options", "stdin"), ACTS, ids=[act for act, _, _ in ACTS])
def test_a_dry_run_says_what_then_happens_and_does_nothing(
    shell: Shell, act: str, options: list[str], stdin: str
) -> None:
    """Every --dry-run tells the truth. One record for the act and none for the rehearsal (I8)."""
    shell.create_user()
    session, _ = sign_in(shell), sign_in(shell)
    if act in UNDOES:
        shell.run("users", UNDOES[act], EMAIL)
    before = (shell.json("users", "show", EMAIL), len(audited(shell)))
    said = shell.json("users", act, EMAIL, *options, "--dry-run", stdin=stdin)
    assert (shell.json("users", "show", EMAIL), len(audited(shell))) == before
    assert shell.run("users", act, EMAIL, *options, "--dry-run", stdin=stdin).startswith("would ")
    assert lives(shell, session) is (act not in UNDOES)
    done = shell.json("users", act, EMAIL, *options, stdin=stdin)
    assert (said.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert said == done
    assert len(audited(shell)) == before[1] + 1
    (record,) = [record for record in audited(shell) if record["detail"].get("event") == done["event"]]
    assert (record["actor"], record["detail"]["sessions_ended"]) == (this_operator(), done["sessions_ended"])


def test_an_act_that_changes_nothing_says_so(shell: Shell) -> None:
    shell.create_user()
    shell.run("users", "lock", EMAIL)
    assert shell.run("users", "lock", EMAIL, "--dry-run").startswith(f"would change nothing: {EMAIL} is locked")
    again = shell.run("users", "lock", EMAIL)
    assert again.startswith(f"changed nothing: {EMAIL} is locked")
    assert "stop working by" not in again
    assert [shell.json("users", act, EMAIL)["no_op"] for act in ("lock", "unlock", "unlock")] == [True, False, True]


@pytest.mark.parametrize("act", ["disable", "delete", "revoke", "set-password"])
def test_what_ends_everything_ends_everything(shell: Shell, act: str) -> None:
    """ASVS 7.4.2, 7.4.5: a disabled or deleted user has nothing left, and an operator ends all of a user's sessions."""
    shell.create_user()
    shell.create_user(OTHER_EMAIL)
    mine, others = [sign_in(shell), sign_in(shell)], sign_in(shell, OTHER_EMAIL)
    options = {"set-password": ["--password-stdin"], "delete": ["--yes"]}.get(act, [])
    said = shell.run("users", act, EMAIL, *options, stdin=f"{OTHER}\n")
    assert said.startswith(f"{EMAIL} ")
    assert "2 sessions ended (hard); " in said
    assert not any(lives(shell, session) for session in mine)
    assert lives(shell, others)


def test_a_disabled_user_signs_in_again_when_enabled_and_what_had_ended_stays_dead(shell: Shell) -> None:
    """ASVS 7.4.2."""
    shell.create_user()
    session = sign_in(shell)
    shell.run("users", "disable", EMAIL)
    assert isinstance(shell.sign_in(), Refused)
    shell.run("users", "enable", EMAIL)
    assert not lives(shell, session)
    sign_in(shell)


def test_a_lock_ends_nothing(shell: Shell) -> None:
    """After the unlock the same tokens work."""
    shell.create_user()
    session = sign_in(shell)
    assert f"{EMAIL} is locked; 1 session paused; old access tokens stop working by " in shell.run(
        "users", "lock", EMAIL
    )
    assert not lives(shell, session)
    assert shell.json("users", "show", EMAIL)["state"] == "locked"
    shell.run("users", "unlock", EMAIL)
    assert lives(shell, session)


def test_a_set_password_is_the_only_one_that_fits(shell: Shell) -> None:
    shell.create_user()
    assert "too_short" not in shell.refuse("users", "set-password", EMAIL, "--password-stdin", stdin="short\n")
    shell.run("users", "set-password", EMAIL, "--password-stdin", stdin=f"{OTHER}\n")
    assert isinstance(shell.sign_in(), Refused)
    sign_in(shell, password=OTHER)


def test_the_dry_run_of_a_password_asks_for_none_and_checks_one_that_is_given(shell: Shell) -> None:
    shell.create_user()
    assert shell.json("users", "set-password", EMAIL, "--dry-run")["event"] == "password_set_by_admin"
    assert "password" in shell.refuse("users", "set-password", EMAIL, "--dry-run", "--password-stdin", stdin="x\n")


def test_roles_are_set_added_and_removed(shell: Shell) -> None:
    """ASVS 8.3.2: sessions live, and old access tokens are stale."""
    shell.create_user(EMAIL, "--role", "reader")
    session = sign_in(shell)

    def roles(*words: str) -> list[str]:
        shell.run("users", "roles", EMAIL, *words)
        found: list[str] = shell.json("users", "show", EMAIL)["roles"]
        return found

    assert roles("--add", "editor", "--add", "admin", "--remove", "reader") == ["editor", "admin"]
    assert roles("auditor") == ["auditor"]
    assert roles("--none") == []
    assert shell.json("users", "show", EMAIL)["token_version"] == 4
    assert lives(shell, session)


def test_roles_that_are_so_already_are_no_event(shell: Shell) -> None:
    shell.create_user(EMAIL, "--role", "reader")
    before = len(audited(shell))
    assert "nothing to do" in shell.run("users", "roles", EMAIL, "reader")
    assert shell.json("users", "roles", EMAIL, "--add", "reader")["event"] is None
    assert len(audited(shell)) == before


@pytest.mark.parametrize("words", [[], ["a", "--none"], ["a", "--add", "b"], ["--none", "--remove", "b"]])
def test_roles_are_named_in_one_way(words: list[str]) -> None:
    assert CliRunner().invoke(authserver, ["users", "roles", EMAIL, *words]).exit_code == 2


def test_a_role_is_one_plain_word(shell: Shell) -> None:
    shell.create_user()
    assert "role" in shell.refuse("users", "roles", EMAIL, "two words")


@pytest.mark.parametrize("act", [act for act, _, _ in ACTS])
def test_an_unknown_user_is_refused_by_every_act(shell: Shell, act: str) -> None:
    options = {"roles": ["admin"], "set-password": ["--password-stdin"]}.get(act, [])
    assert "There is no user" in shell.refuse("users", act, "nobody", *options, stdin=f"{OTHER}\n")


def test_one_session_is_rehearsed_and_ended(shell: Shell) -> None:
    shell.create_user()
    phone, laptop = sign_in(shell), sign_in(shell)
    said = shell.json("sessions", "revoke", phone.sid, "--dry-run")
    assert (said["sessions_ended"], said["sessions_kept"], said["token_version"]) == (1, 1, 1)
    assert lives(shell, phone)
    assert "1 session ended (hard); 1 session goes on; " in shell.run("sessions", "revoke", phone.sid)
    assert lives(shell, laptop)


# --- everything of everybody -----------------------------------------------------------------------------------------


def test_everything_of_everybody_ends_and_people_may_sign_in_again(shell: Shell) -> None:
    """ASVS 7.4.5: every old token dies, new sign-ins work; and it may be run again."""
    emails = [EMAIL, OTHER_EMAIL]
    for email in emails:
        shell.create_user(email)
    sessions = [sign_in(shell, email) for email in (*emails, *emails)]
    said = shell.json("users", "revoke", "--all", "--dry-run")["users"]
    assert [user["sessions_ended"] for user in said] == [2, 2]
    assert "would end 4 sessions of 2 users" in shell.run("users", "revoke", "--all", "--dry-run")
    assert all(lives(shell, session) for session in sessions)
    done = shell.json("users", "revoke", "--all", "--yes")["users"]
    assert [{**user, "dry_run": True} for user in done] == said
    assert not any(lives(shell, session) for session in sessions)
    for email in emails:
        sign_in(shell, email)
    assert "ended 2 sessions of 2 users" in shell.run("users", "revoke", "--all", "--yes")


@pytest.mark.parametrize("words", [[], [EMAIL, "--all"]])
def test_whose_sessions_to_revoke_is_said_in_one_way(words: list[str]) -> None:
    assert CliRunner().invoke(authserver, ["users", "revoke", *words]).exit_code == 2


# --- what it says ----------------------------------------------------------------------------------------------------


def test_each_act_has_its_own_words(shell: Shell) -> None:
    """Nobody who reads the answer mistakes one act for another, or the rehearsal for the act."""
    shell.create_user()
    said = {}
    for act, options, stdin in sorted(ACTS, key=lambda one: one[0] == "delete"):
        sign_in(shell, password=OTHER if "set-password" in said else PASSWORD) if act == "lock" else None
        said[f"would {act}"] = shell.run("users", act, EMAIL, *options, "--dry-run", stdin=stdin).partition(";")[0]
        said[act] = shell.run("users", act, EMAIL, *options, stdin=stdin).partition(";")[0]
    heads = {one.strip() for one in said.values()}
    assert len(heads) == 2 * len(ACTS), said
    assert said["roles"] == f"{EMAIL} has the roles: admin auditor"
    assert said["unlock"].strip() == f"{EMAIL} is unlocked"


# --- policy ----------------------------------------------------------------------------------------------------------


def test_the_policy_in_force_is_shown_with_what_settings_changed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = shell.json("policy", "show")["policy"]
    assert [row["event"] for row in shown] == [event.name for event in EVENTS]
    assert not any(row["changed"] for row in shown)
    monkeypatch.setenv("AUTHSERVER_REVOCATION_POLICY", '{"password_changed": {"mode": "soft"}}')
    changed = [row for row in shell.json("policy", "show")["policy"] if row["changed"]]
    assert [(row["event"], row["mode"]) for row in changed] == [("password_changed", "soft")]


def test_a_policy_that_cannot_work_stops_every_command(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHSERVER_REVOCATION_POLICY", '{"signed_out": {"reach": "none"}}')
    for words in (["policy", "show"], ["users", "list"], ["serve"]):
        assert shell.refuse(*words).startswith("AUTHSERVER_REVOCATION_POLICY: signed_out: reach cannot be none")


def test_an_override_is_in_force_at_the_next_act(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHSERVER_REVOCATION_POLICY", '{"session_ended_by_admin": {"reach": "all", "mode": "soft"}}')
    shell.create_user()
    one, other = sign_in(shell), sign_in(shell)
    done = shell.json("sessions", "revoke", one.sid)
    assert (done["sessions_ended"], done["mode"]) == (2, "soft")
    assert not lives(shell, other)


@pytest.mark.parametrize("event", [event.name for event in EVENTS])
def test_every_event_is_explained_without_an_installation(event: str) -> None:
    result = CliRunner().invoke(authserver, ["policy", "explain", event])
    assert result.exit_code == 0, result.output
    assert all(line.endswith(".") for line in result.stdout.splitlines())


def test_explaining_with_a_user_says_what_would_end_now_and_ends_nothing(shell: Shell) -> None:
    shell.create_user()
    first, last = sign_in(shell), sign_in(shell)
    said = shell.json("policy", "explain", "password_changed", "--user", EMAIL, "--session", first.sid)
    assert (said["receipt"]["sessions_ended"], said["receipt"]["sessions_kept"], said["sid"]) == (1, 1, first.sid)
    spared = shell.json("policy", "explain", "password_changed", "--user", EMAIL, "--no-logout-devices")
    assert (spared["receipt"]["sessions_ended"], spared["receipt"]["sessions_kept"]) == (0, 2)
    assert "2 sessions would end" in shell.run("policy", "explain", "user_disabled", "--user", EMAIL)
    assert "is not about a single user" in shell.refuse("policy", "explain", "client_disabled", "--user", EMAIL)
    assert lives(shell, first)
    assert lives(shell, last)


def test_what_is_no_event_is_wrong_usage() -> None:
    result = CliRunner().invoke(authserver, ["policy", "explain", "coffee_spilled"])
    assert result.exit_code == 2
    assert "password_changed" in result.stderr


# --- audit record ----------------------------------------------------------------------------------------------------


def test_the_record_is_listed_newest_first_and_narrowed(shell: Shell) -> None:
    """ASVS 16.2.1, 16.3.1."""
    user = shell.create_user()
    sign_in(shell)
    shell.run("users", "lock", EMAIL)
    names = [event["name"] for event in audited(shell, "--user", EMAIL)]
    assert sorted(names) == ["authn_login_lock", "authn_login_success", "user_created"]
    assert audited(shell, "--name", "authn_login_lock")[0]["user_id"] == user["user_id"]
    assert len(audited(shell, "--limit", "2")) == 2
    assert audited(shell, "--until", "1s") == []
    assert len(audited(shell, "--since", "2026-01-01")) == len(audited(shell))
    assert audited(shell, "--since", "2026-01-01T12:00:00+00:00", "--until", "2026-01-01T12:00") == []
    shell.run("users", "delete", EMAIL, "--yes")
    assert audited(shell, "--user", user["user_id"])[0]["name"] in {"user_deleted", *names}
    assert "There is no user" in shell.refuse("audit", "list", "--user", EMAIL)


@pytest.mark.parametrize("moment", ["yesterday", "7 days", "99999999999d", "2026-13-01"])
def test_what_is_no_moment_is_wrong_usage(moment: str) -> None:
    assert CliRunner().invoke(authserver, ["audit", "list", "--since", moment]).exit_code == 2


def test_the_tail_is_one_line_for_each_record_whatever_is_in_it(shell: Shell) -> None:
    """ASVS 16.4.1: control characters in a name or a user agent neither break a line nor move the cursor."""
    shell.create_user()
    sign_in(shell)
    lines = [json.loads(line) for line in shell.run("audit", "tail", "-n", "2", "--json").splitlines()]
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert len(shell.run("audit", "tail", "-n", "2").splitlines()) == 2
    assert shell.run("audit", "tail", "-n", "0") == ""


def test_following_prints_what_is_added_and_nothing_twice(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    user = shell.create_user()
    added: list[str] = []

    def act_then_stop(_seconds: float) -> None:
        if len(added) == 2:
            raise KeyboardInterrupt
        added.append("unlock" if added else "lock")
        CliRunner().invoke(authserver, ["users", added[-1], EMAIL], obj=Context(shell.clock, shell.entropy))

    monkeypatch.setattr(time, "sleep", act_then_stop)
    result = shell.type("audit", "tail", "-n", "1", "--follow", "--json", "--user", user["user_id"])
    names = [json.loads(line)["name"] for line in result.stdout.splitlines()]
    assert names == ["user_created", "authn_login_lock", "authn_login_unlock"]


def test_a_device_name_does_not_move_an_operators_cursor(shell: Shell) -> None:
    """ASVS 16.4.1: what strangers choose is spelled out on a terminal, and escaped in JSON."""
    shell.create_user()
    nasty = "phone\x1b[2J\u202e\r"
    shell.sign_in(device=nasty)
    (session,) = shell.json("sessions", "list")["sessions"]
    assert session["device_id"] == nasty
    assert "\x1b" not in shell.run("sessions", "list")


# --- import ----------------------------------------------------------------------------------------------------------

BCRYPT = "$2b$04$abcdefghijklmnopqrstuOgd9ZC9pBe2pcjhIxOTGGzNxZ6IMd.Ju"  # of "x"


def write(folder: Path, *rows: dict[str, object]) -> str:
    file = folder / "users.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def test_users_come_in_with_their_passwords_and_roles(shell: Shell, tmp_path: Path) -> None:
    """The hash of the other system is replaced at the first sign-in, which ends nothing."""
    file = write(
        tmp_path,
        {"email": "Ada@Example.test", "name": "Ada", "password_hash": BCRYPT, "roles": ["admin"]},
        {"email": "bob@example.test"},
    )
    assert shell.json("users", "import", file, "--dry-run") == {"imported": 2, "left_out": 0, "dry_run": True}
    assert shell.json("users", "list")["users"] == []
    assert "imported 2 users" in shell.run("users", "import", file)
    listed = {user["email"]: user for user in shell.json("users", "list")["users"]}
    assert listed["ada@example.test"]["roles"] == ["admin"]
    first = sign_in(shell, "ada@example.test", "x")
    sign_in(shell, "ada@example.test", "x")
    assert lives(shell, first)
    assert [event["name"] for event in audited(shell)].count("authn_password_rehash") == 1
    assert isinstance(shell.sign_in("bob@example.test", ""), Refused)


def test_a_file_with_bad_lines_comes_in_as_a_whole_or_not_at_all(shell: Shell, tmp_path: Path) -> None:
    shell.create_user()
    file = write(
        tmp_path,
        {"email": "good@example.test"},
        {"email": "no address"},
        {"email": "Good@Example.test"},
        {"email": EMAIL},
        {"email": "dear@example.test", "password_hash": BCRYPT.replace("$04$", "$31$")},
        {"email": "odd@example.test", "password_hash": "plain text", "roles": "a\u00e9"},
    )
    result = shell.type("users", "import", file)
    assert (result.exit_code, result.stdout) == (1, "")
    *lines, last = result.stderr.splitlines()
    assert [line.removeprefix(f"{file}:").partition(":")[0] for line in lines] == ["2", "3", "4", "5", "6"]
    assert "costs too much" in lines[3]
    assert "password_hash" in lines[4]
    assert "roles" in lines[4]
    assert "5 bad lines; nothing was imported" in last
    assert "plain text" not in result.output
    assert len(shell.json("users", "list")["users"]) == 1

    result = shell.type("users", "import", file, "--skip-bad")
    assert (result.exit_code, result.stdout) == (0, "imported 1 user\n")
    assert len(shell.json("users", "list")["users"]) == 2


def test_a_file_that_cannot_be_read_is_one_line(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_bytes(b"\xff\xff")
    assert "is not UTF-8 text" in shell.refuse("users", "import", str(file))
    assert shell.type("users", "import", str(file.rename(tmp_path / "users.txt"))).exit_code == 2
