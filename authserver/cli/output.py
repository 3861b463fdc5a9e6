"""Printing: tables for people, `--json` for programs. Only this file formats values for the command line.

Output that cannot be written is dropped (`streams`), so printing never interrupts the work of a command.
"""

import errno
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias, TypeVar

import click

from authserver.cli.streams import ForgivingStream

_OF_WORDS = "\N{NO-BREAK SPACE}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"

Plain = str | int | bool | None
Value: TypeAlias = "Plain | datetime | timedelta | tuple[str, ...] | Mapping[str, Value]"
Record = Mapping[str, Value]
Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(command: Command) -> Command:
    """Add `--json`, which a command receives as `as_json`."""
    option = click.option(
        "--json", "as_json", is_flag=True, help="Print JSON: times in seconds since the epoch, durations in seconds."
    )
    return option(command)


def print_list(name: str, records: Sequence[Record], *, columns: Sequence[str], as_json: bool) -> None:
    """Print all of `records` as the JSON member `name`, or their `columns` as a table."""
    if as_json:
        _print_json({name: [_plain(record) for record in records]})
        return
    rows = [[column.replace("_", " ").upper() for column in columns]]
    rows += [[_text(record[column]) for column in columns] for record in records]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_line(record: Record) -> None:
    """Print one record as one line of JSON, for programs that read a stream. JSON escapes line breaks (ASVS 16.4.1)."""
    click.echo(json.dumps(_plain(record)))


def say_record(record: Record, columns: Sequence[str]) -> str:
    """Format `columns` of one record as one line for people."""
    return "  ".join(_text(record[column]) for column in columns)


def print_record(record: Record, *, as_json: bool) -> None:
    """Print one record, as JSON or as lines of `member: value`."""
    if as_json:
        _print_json(_plain(record))
        return
    width = max(map(len, record))
    for member, value in record.items():
        click.echo(f"{(member.replace('_', ' ') + ':').ljust(width + 1)} {_text(value)}")


def is_output_lost() -> bool:
    """Whether nobody can read the output any more, so that an endless command should end.

    A reader that has exited (`| head -1`) is noticed even if nothing new is printed, which may be never.
    """
    return _find_trouble() is not None or (isinstance(sys.stdout, ForgivingStream) and sys.stdout.has_lost_reader())


def demand_shown(secret: str, remedy: str) -> None:
    """Fail if the output was lost: `secret` cannot be shown again. The command `remedy` makes a new one."""
    trouble = _find_trouble()
    if trouble is not None:
        raise click.ClickException(f"{secret} could not be shown ({trouble.strerror}) and is lost; run: {remedy}")


def find_loss() -> str | None:
    """Find in one line why output was lost. A reader that exits early (`| head -1`) counts as no loss."""
    trouble = _find_trouble()
    if trouble is None or trouble.errno == errno.EPIPE:
        return None
    return f"the command is done, but its output could not be written: {trouble.strerror}"


def _find_trouble() -> OSError | None:
    return sys.stdout.trouble if isinstance(sys.stdout, ForgivingStream) else None


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2))


def _plain(record: Record) -> dict[str, object]:
    return {member: _plain_value(value) for member, value in record.items()}


def _plain_value(value: Value) -> object:
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, timedelta):
        return value // timedelta(seconds=1)
    if isinstance(value, Mapping):
        return _plain(value)
    return list(value) if isinstance(value, tuple) else value


def _text(value: Value) -> str:
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case datetime():
            text = f"{value:%Y-%m-%d %H:%M:%S}Z"
        case timedelta():
            text = f"{value // timedelta(seconds=1)} s"
        case tuple():
            text = " ".join(value)
        case Mapping():
            text = " ".join(f"{member}={_text(plain)}" for member, plain in value.items())
        case _:
            text = str(value)
    return escape(text) or "-"


def escape(text: str) -> str:
    """Escape `text` for a terminal: characters that could move the cursor, break a line or hide something."""
    return "".join(one if one.isprintable() or one in _OF_WORDS else _spell_out(one) for one in text)


def _spell_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
