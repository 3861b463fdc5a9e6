"""The list of commands, and the reports of failures: one line on stderr and exit status 1, or 2 for wrong usage."""

from typing import Any

import click

from authserver import __version__
from authserver.cli.commands import COMMANDS, LateGroup
from authserver.cli.output import find_loss
from authserver.cli.streams import forgiving_streams


class Commands(LateGroup):
    """The top-level group. It turns errors of the environment into one-line messages."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            # Imported only after a failure, because it imports the errors of all rooms.
            from authserver.cli.broken_worlds import explain_broken_world

            told = explain_broken_world(error)
            if told is None:
                raise
            raise told from None


@click.group(
    cls=Commands,
    commands=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def authserver(ctx: click.Context) -> None:
    """Sign people in with JWT access tokens and rotating refresh tokens, and revoke them within seconds.

    Settings come from AUTHSERVER_* variables, or from the TOML file that AUTHSERVER_CONFIG names.
    """
    from authserver.cli.context import Context

    ctx.call_on_close(ctx.ensure_object(Context).close)


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
