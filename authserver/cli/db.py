"""`authserver db`: the schema, the pruning of old rows, and backups."""

from datetime import timedelta
from pathlib import Path

import click

from authserver.administration.back_up import BackupRefused, back_up
from authserver.cli.clock_option import confirm_clock_option
from authserver.cli.context import Context
from authserver.cli.questions import ask, yes_option
from authserver.cli.receipts import count
from authserver.custody.recover import recover_from_restore
from authserver.upkeep.prune import Retention, prune_all
from authserver.upkeep.prune_clients import prune_all_clients


@click.group()
def db() -> None:
    """The database's schema, its old rows and its backups."""


@db.command()
@click.pass_obj
def upgrade(context: Context) -> None:
    """Upgrade the schema to this release. Servers of the previous release keep working."""
    done = context.schema.upgrade()
    how = " already" if done.before == done.now else f", was at {done.before or 'none'}"
    click.echo(f"the schema is at {done.now}{how}")


@db.command()
@click.pass_obj
def current(context: Context) -> None:
    """Print the revision of the schema; exit with status 1 if this release cannot work with it."""
    click.echo(context.schema.find_revision() or "none")
    if not context.schema.is_current():
        raise click.ClickException(f"this release needs {context.schema.needed()}; run: authserver db upgrade")


@db.command()
@click.pass_obj
def check(context: Context) -> None:
    """Compare the tables with what this release expects; exit with status 1 if they differ."""
    differences = context.schema.list_differences()
    if differences:
        raise click.ClickException("; ".join(differences))
    click.echo("the schema is as this release expects")


@db.command()
@confirm_clock_option
@click.pass_obj
def prune(context: Context, *, confirm_clock: bool) -> None:
    """Remove ended and expired rows, in small steps. Running servers do this by themselves.

    Refused while the clock may be wrong.
    """
    retention = Retention(audit=context.settings.audit_retention)
    database, at = context.current_schema.database, context.trust_clock(confirmed=confirm_clock)
    gone, unused = prune_all(database, at, retention), prune_all_clients(database, at)
    click.echo(
        f"removed {gone.families} families, {gone.sessions} sessions, {gone.audit_events} audit events, "
        f"{gone.links} links, {gone.mails} mails, {gone.registrations} registrations, {gone.requests} requests, "
        f"{unused.clients} clients by URL, {unused.tokens} registration tokens"
    )


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(context: Context, *, file: Path) -> None:
    """Copy the SQLite database to the new file FILE, while servers run. For PostgreSQL use pg_dump.

    FILE has one consistent state and mode 0600. An existing file is not overwritten. The master key is not in it:
    back up AUTHSERVER_KEYS_DIR, too, in another place.
    """
    done = back_up(context.current_schema.database, file)
    if isinstance(done, BackupRefused):
        raise click.ClickException(done.reason)
    click.echo(f"{file}: {done.size} bytes, schema {done.revision}; the master key is not in it")


@db.command()
@yes_option
@confirm_clock_option
@click.pass_obj
def restored(context: Context, *, yes: bool, confirm_clock: bool) -> None:
    """Run this after restoring the database from a backup, so that revoked tokens stay revoked.

    Stop the servers first. The command ends all sessions softly, replaces all keys, raises every token version, ends
    mailed links, and tells resource servers that follow the feed to refuse all tokens issued before now. Passwords,
    addresses, roles, clients and account states are those of the backup: review them.
    """
    # A backup may be of any age. So the times in it cannot prove that the clock is ahead, only that it is behind.
    at = context.trust_clock(confirmed=confirm_clock, longest_pause=timedelta.max)
    clock = f"This machine's clock says {at.now:%Y-%m-%d %H:%M} UTC."
    ask(f"{clock} End all sessions and replace all keys?", yes=yes)
    done = recover_from_restore(context.custody, at, by=context.operator)
    what = f"replaced {count(done.keys, 'key')}, ended {count(done.sessions, 'session')}"
    click.echo(f"{what}; no token issued before now is valid")
    click.echo(
        "review what may have changed since the backup: passwords, addresses, roles, clients, locked and disabled users"
    )
