"""The command line says each failure in one line, and its exit status tells refused from misused."""

from collections.abc import Callable

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from authserver import __version__
from authserver.cli.commands import COMMANDS, LateCommand
from authserver.cli.context import Context
from authserver.cli.main import Commands, authserver
from authserver.config import SettingsError
from authserver.keyring.errors import MasterKeyError
from authserver.records.failures import StorageUnavailableError
from tests.support.people.shell import load_every_command


def run_raising(error: Exception) -> tuple[int, str]:
    """Exit status and stderr of a command that raises `error`."""

    @click.group(cls=Commands)
    def group() -> None:
        pass

    @group.command()
    def work() -> None:
        raise error

    result = CliRunner().invoke(group, ["work"])
    return result.exit_code, result.stderr


def away() -> StorageUnavailableError:
    error = StorageUnavailableError("the database did not answer")
    error.__cause__ = OSError("connection refused\nIs the server running?")
    return error


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: MasterKeyError("keys: holds no master key"), "Error: keys: holds no master key\n"),
        (lambda: StorageUnavailableError("the database did not answer"), "Error: the database did not answer\n"),
        (away, "Error: the database did not answer: connection refused\n"),
        (lambda: OSError(28, "No space left on device", "/var/lib/x"), "Error: /var/lib/x: No space left on device\n"),
        (lambda: SettingsError(["A: must be so", "B: must be so"]), "A: must be so\nB: must be so\n"),
    ],
)
def test_a_broken_world_is_one_line_for_each_problem_and_status_1(make: Callable[[], Exception], said: str) -> None:
    assert run_raising(make()) == (1, said)


def test_a_mistake_of_ours_is_not_disguised() -> None:
    with pytest.raises(ZeroDivisionError):
        CliRunner().invoke(_broken(), [], catch_exceptions=False)


def _broken() -> click.Group:
    @click.group(cls=Commands, invoke_without_command=True)
    def group() -> None:
        raise ZeroDivisionError

    return group


def test_wrong_usage_is_status_2() -> None:
    assert CliRunner().invoke(authserver, ["serve", "--port", "many"]).exit_code == 2
    assert CliRunner().invoke(authserver, ["fly"]).exit_code == 2


def test_settings_problems_come_before_anything_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHSERVER_WORKERS", "many")
    monkeypatch.setenv("AUTHSERVER_LOG_LEVEL", "loud")
    result = CliRunner().invoke(authserver, ["users", "list"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == [
        "AUTHSERVER_WORKERS",
        "AUTHSERVER_LOG_LEVEL",
    ]


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(authserver, ["--version"]).output == f"{__version__}\n"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command.name))
def test_every_command_has_help_and_reads_no_setting_for_it(
    command: LateCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHSERVER_WORKERS", "many")
    pending = [[command.name or ""]]
    while pending:
        path = pending.pop()
        result = CliRunner().invoke(authserver, [*path, "--help"])
        assert result.exit_code == 0, path
        assert result.output.startswith(f"Usage: authserver {' '.join(path)}")
        found: click.Command | None = load_every_command()
        for name in path:
            assert isinstance(found, click.Group)
            found = found.commands[name]
        assert found is not None
        assert found.help, f"{path} says nothing about itself"
        if isinstance(found, click.Group):
            pending += [[*path, name] for name in found.commands]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command.name))
def test_a_command_is_listed_by_the_first_sentence_of_its_help(command: LateCommand) -> None:
    """The list is written before the command is loaded; at whatever width, it says what the command says."""
    loaded = command.load()
    assert loaded.name == command.name
    for width in range(10, 120):
        assert command.get_short_help_str(width) == loaded.get_short_help_str(width)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("s", ["serve", "sessions"]),
        ("keys r", ["retire", "rewrap", "rotate"]),
        ("keys rotate --c", ["--confirm-clock"]),
        ("--v", ["--version"]),
    ],
)
def test_what_is_typed_is_completed(typed: str, offered: list[str]) -> None:
    *before, last = typed.split()
    completions = ShellComplete(authserver, {}, "authserver", "_AUTHSERVER_COMPLETE").get_completions(before, last)
    assert [item.value for item in completions] == offered


def test_completion_offers_the_commands_with_their_help() -> None:
    def complete(group: click.Group) -> list[tuple[str, str | None]]:
        offered = ShellComplete(group, {}, "authserver", "_AUTHSERVER_COMPLETE").get_completions([], "")
        return [(item.value, item.help) for item in offered]

    assert complete(authserver) == complete(load_every_command())


def test_a_context_opens_nothing_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHSERVER_WORKERS", "many")
    Context().close()
