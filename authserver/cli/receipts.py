"""How the command line says what a credential event ended, or would end."""

import click

from authserver.cli.output import Command, Record, json_option, print_record
from authserver.revocation import Receipt
from authserver.storage.users import User


def act_options(command: Command) -> Command:
    """Add `--dry-run` and `--json`, which every act on users and sessions has."""
    dry_run = click.option("--dry-run", is_flag=True, help="Say what would end, and end nothing.")
    return dry_run(json_option(command))


def describe_receipt(receipt: Receipt, user: User | None, *, dry_run: bool) -> Record:
    """The members of a receipt in JSON."""
    return {
        "event": receipt.event,
        "dry_run": dry_run,
        **({} if user is None else {"user_id": user.user_id, "email": user.email}),
        "sessions_ended": receipt.sessions_ended,
        "sessions_kept": receipt.sessions_kept,
        "mode": receipt.mode.value,
        "token_version": receipt.token_version,
        "links_ended": receipt.links_ended,
        "mails": receipt.mails,
        "effective_by": receipt.effective_by,
        "latest_by": receipt.latest_by,
    }


def print_receipt(receipt: Receipt, user: User | None, *, dry_run: bool, as_json: bool) -> None:
    """Print what ended, for people or for programs."""
    if as_json:
        print_record(describe_receipt(receipt, user, dry_run=dry_run), as_json=True)
        return
    click.echo(tell_receipt(receipt, user, dry_run=dry_run))
    if not dry_run:
        click.echo(
            f"what this condemns passes nowhere after {receipt.latest_by:%Y-%m-%d %H:%M:%S}Z,"
            f" and after {receipt.effective_by:%H:%M:%S}Z no more where the revocation feed is followed"
        )


def tell_receipt(receipt: Receipt, user: User | None, *, dry_run: bool) -> str:
    """One line: what ended, what goes on, what was mailed."""
    whose = "" if user is None else f" of {user.email}"
    how = f" ({receipt.mode})" if receipt.sessions_ended else ""
    parts = [
        f"{'would end' if dry_run else 'ended'} {_count(receipt.sessions_ended, 'session')}{whose}{how}",
        f"{_count(receipt.sessions_kept, 'session')} would go on" if dry_run else f"{receipt.sessions_kept} go on",
    ]
    if receipt.token_version is not None:
        parts.append(f"token version {receipt.token_version}")
    if receipt.links_ended:
        parts.append(f"{_count(receipt.links_ended, 'mailed link')} {'would be' if dry_run else 'is'} dead")
    if receipt.mails:
        parts.append(f"{'would mail' if dry_run else 'mailed'} {', '.join(receipt.mails)}")
    return "; ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
