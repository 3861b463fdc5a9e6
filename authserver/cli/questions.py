"""Questions before acts that cannot be undone."""

import sys

import click

from authserver.cli.output import Command


def yes_option(command: Command) -> Command:
    """Add `--yes`, which a command passes to `ask`."""
    option = click.option("--yes", is_flag=True, help="Do not ask for confirmation; required without a terminal.")
    return option(command)


def ask(question: str, *, yes: bool) -> None:
    """Continue only if the operator agrees, at the terminal or with `--yes`.

    Without a terminal nobody can answer, so the command is refused. A piped answer does not count either:
    `yes | authserver …` agrees to a question that nobody has read.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException(f"{question} Cannot ask without a terminal; use --yes")
    click.confirm(question, abort=True, err=True)
