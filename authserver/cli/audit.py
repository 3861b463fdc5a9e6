"""`authserver audit`: prints the audit record. docs/audit.md explains every name."""

import time
from typing import Final

import click

from authserver.administration.look_up import find_user
from authserver.administration.read_audit import AuditTail, list_audit
from authserver.cli.context import Context
from authserver.cli.moments import Moment, read_moment, resolve
from authserver.cli.output import Command, Record, is_output_lost, json_option, print_line, print_list, say_record
from authserver.protocol.audit_name import AuditName
from authserver.protocol.text import is_storable
from authserver.records.audit import AuditFilter, AuditRecord
from authserver.records.user import User

_COLUMNS = ("at", "name", "outcome", "actor", "user_id", "client_id", "ip", "detail")
_POLL_SECONDS: Final = 1.0
_NAMES = [name.value for name in AuditName]


@click.group()
def audit() -> None:
    """The audit record, kept for AUTHSERVER_AUDIT_RETENTION seconds."""


def _filter_options(command: Command) -> Command:
    user = click.option("--user", help="Only records about this user, by e-mail address or id; deleted users included.")
    name = click.option("--name", type=click.Choice(_NAMES), metavar="NAME", help="Only records with this name.")
    return user(name(command))


@audit.command("list")
@_filter_options
@click.option(
    "--since",
    callback=read_moment,
    help="Only records since this time: 2026-01-31T12:00 (UTC), or a time ago: 90m, 24h, 7d.",
)
@click.option("--until", callback=read_moment, help="Only records before this time.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Print at most this many."
)
@json_option
@click.pass_obj
def list_records(
    context: Context,
    *,
    user: str | None,
    name: str | None,
    since: Moment | None,
    until: Moment | None,
    limit: int,
    as_json: bool,
) -> None:
    """Print records, newest first."""
    now = context.clock.now()
    wanted = AuditFilter(
        user_id=_find_user_id(context, user), name=name, since=resolve(since, now), until=resolve(until, now)
    )
    records = [_describe(record) for record in list_audit(context.current_schema.database, wanted, limit=limit)]
    print_list("events", records, columns=_COLUMNS, as_json=as_json)


@audit.command()
@_filter_options
@click.option(
    "-n", "count", type=click.IntRange(0, 100_000), default=10, show_default=True, help="Start with this many records."
)
@click.option("-f", "--follow", is_flag=True, help="Keep printing new records until interrupted.")
@json_option
@click.pass_obj
def tail(context: Context, *, user: str | None, name: str | None, count: int, follow: bool, as_json: bool) -> None:
    """Print the newest records, oldest first, one per line."""
    wanted = AuditFilter(user_id=_find_user_id(context, user), name=name)
    following = AuditTail(context.current_schema.database, wanted)
    _print(following.read_newest(count), as_json=as_json)
    while follow and not is_output_lost():
        time.sleep(_POLL_SECONDS)
        _print(following.read_added(), as_json=as_json)


def _print(records: list[AuditRecord], *, as_json: bool) -> None:
    for record in records:
        if as_json:
            print_line(_describe(record))
        else:
            click.echo(say_record(_describe(record), _COLUMNS))


def _find_user_id(context: Context, user: str | None) -> str | None:
    """Find the user id to filter by. Records outlive their user, so the id of a deleted user is accepted, too."""
    if user is None:
        return None
    found = find_user(context.realm, user)
    if isinstance(found, User):
        return found.user_id
    if "@" in user or not is_storable(user):
        raise click.ClickException(found.message)
    return user


def _describe(record: AuditRecord) -> Record:
    return {
        "event_id": record.event_id,
        "at": record.at,
        "name": record.name,
        "outcome": record.outcome,
        "actor": record.actor.name,
        "ip": record.actor.ip,
        "user_id": record.user_id,
        "sid": record.sid,
        "client_id": record.client_id,
        "detail": record.detail,
    }
