"""The commands, and how their failures are said: one clear line on stderr and exit status 1; 2 for wrong usage."""

import sys
from typing import Any, Final

import click

from authserver import __version__
from authserver.cli.audit import audit
from authserver.cli.clients import clients
from authserver.cli.context import Context
from authserver.cli.db import db
from authserver.cli.init import init
from authserver.cli.keys import keys
from authserver.cli.output import find_loss
from authserver.cli.policy import policy
from authserver.cli.serve import serve
from authserver.cli.sessions import sessions
from authserver.cli.streams import forgiving_streams
from authserver.cli.users import users
from authserver.config import SettingsError
from authserver.keyring.errors import KeyringError
from authserver.mail.compose import UnusableTemplateError
from authserver.records.failures import StorageUnavailableError, UnknownRevisionError
from authserver.web.limits.node_counters import UnusableCountersError

COMMANDS: Final[tuple[click.Command, ...]] = (
    init,
    serve,
    keys,
    users,
    clients,
    sessions,
    policy,
    db,
    audit,
)


class Commands(click.Group):
    """Turns what the rooms raise about a broken world into the one line that an operator reads."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run the command."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise _Problems(error.problems) from None
        except StorageUnavailableError as error:
            raise click.ClickException(_tell(error)) from None
        except (KeyringError, UnknownRevisionError, UnusableCountersError, UnusableTemplateError) as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            if error.filename is None:  # no file's: a mistake of ours, or a reader who has gone
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}") from None


class _Problems(click.ClickException):
    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))

    def show(self, file: Any = None) -> None:  # noqa: ANN401 - click's own signature
        click.echo(self.message, file=file or sys.stderr)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def authserver(ctx: click.Context) -> None:
    """Sign people in with JWT access tokens and rotating refresh tokens, and revoke them within seconds.

    Settings come from AUTHSERVER_* variables, or from the TOML file that AUTHSERVER_CONFIG names.
    """
    ctx.call_on_close(ctx.ensure_object(Context).close)


for command in COMMANDS:
    authserver.add_command(command)


def run() -> int:
    """Run the command line and return its exit status."""
    with forgiving_streams():
        status = _run()
        loss = find_loss()
        if status or loss is None:
            return status
        click.echo(f"Error: {loss}", err=True)
        return 1


def _run() -> int:
    try:
        authserver(prog_name="authserver")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _tell(error: StorageUnavailableError) -> str:
    # What the driver says comes wrapped once or twice, names host and user, and never a password.
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    reason = (str(cause).strip().splitlines() or [""])[0]
    return f"{error}: {reason}" if cause is not error else str(error)
