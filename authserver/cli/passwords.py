"""Passwords from a prompt or from standard input. They are never arguments, because other users can see those."""

import sys

import click

from authserver.cli.output import Command
from authserver.protocol.secret import Secret

_LONGEST_LINE = 64 * 1024  # bytes; far above the longest password


def password_option(command: Command) -> Command:
    """Add `--password-stdin`."""
    option = click.option(
        "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it."
    )
    return option(command)


def read_password(*, stdin: bool) -> Secret:
    """Read a line from standard input, or a password that is typed twice at a prompt."""
    if not stdin:
        if not sys.stdin.isatty():
            raise click.ClickException("cannot ask for the password without a terminal; use --password-stdin")
        return Secret(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    line = sys.stdin.buffer.readline(_LONGEST_LINE)
    try:
        return Secret(line.decode("utf-8-sig").removesuffix("\n").removesuffix("\r"))
    except UnicodeDecodeError:
        raise click.ClickException("the password on standard input is not UTF-8 text") from None
