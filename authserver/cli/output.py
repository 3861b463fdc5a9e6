"""How commands print: a table for people, `--json` for programs. Nothing else of the command line formats values."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

Value = str | int | bool | datetime | timedelta | tuple[str, ...] | None
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


def print_record(record: Record, *, as_json: bool) -> None:
    """Print one record, as JSON or as one `member: value` a line."""
    if as_json:
        _print_json(_plain(record))
        return
    width = max(map(len, record))
    for member, value in record.items():
        click.echo(f"{(member.replace('_', ' ') + ':').ljust(width + 1)} {_text(value)}")


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2))


def _plain(record: Record) -> dict[str, object]:
    return {member: _plain_value(value) for member, value in record.items()}


def _plain_value(value: Value) -> object:
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, timedelta):
        return value // timedelta(seconds=1)
    return list(value) if isinstance(value, tuple) else value


def _text(value: Value) -> str:
    match value:
        case None | () | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}Z"
        case timedelta():
            return f"{value // timedelta(seconds=1)} s"
        case tuple():
            return " ".join(value)
        case _:
            return str(value)
