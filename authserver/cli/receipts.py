"""The output of acts on users and sessions: what a credential event ended, or would end."""

from dataclasses import dataclass
from typing import Final

import click

from authserver.cli.output import Command, Record, json_option, print_record
from authserver.credentials.events import (
    PasswordSetByAdmin,
    RolesChanged,
    SignedOutByAdmin,
    UserDeleted,
    UserDisabled,
    UserEnabled,
    UserLocked,
    UserUnlocked,
)
from authserver.records.user import User
from authserver.revocation import Receipt


@dataclass(frozen=True, slots=True)
class _Act:
    """The sentences for an act on a user: one after it was done, one for a dry run."""

    done: str
    would: str
    ends_tokens: bool = True
    """Whether the act ends access tokens that were issued before it."""
    pauses: bool = False
    """Whether the act pauses sessions that it does not end."""


_ACTS: Final = {
    PasswordSetByAdmin.name: _Act("{email} has a new password", "would give {email} a new password"),
    UserLocked.name: _Act("{email} is locked", "would lock {email}", pauses=True),
    UserUnlocked.name: _Act("{email} is unlocked", "would unlock {email}", ends_tokens=False),
    UserDisabled.name: _Act("{email} is disabled", "would disable {email}"),
    UserEnabled.name: _Act(
        "{email} is enabled and may sign in again", "would enable {email} to sign in again", ends_tokens=False
    ),
    UserDeleted.name: _Act("{email} is deleted", "would delete {email}"),
    RolesChanged.name: _Act("{email} has the roles: {roles}", "would give {email} the roles: {roles}"),
    SignedOutByAdmin.name: _Act("{email} is signed out everywhere", "would sign {email} out everywhere"),
}
"""Event → its sentences. For other events (one session, an explained event) only their effects are printed."""


def act_options(command: Command) -> Command:
    """Add `--dry-run` and `--json`, the options of every act on users and sessions."""
    dry_run = click.option("--dry-run", is_flag=True, help="Say what would end, and change nothing.")
    return dry_run(json_option(command))


def describe_receipt(receipt: Receipt, user: User | None, *, dry_run: bool) -> Record:
    """Describe a receipt for JSON."""
    return {
        "event": receipt.event,
        "dry_run": dry_run,
        **({} if user is None else {"user_id": user.user_id, "email": user.email}),
        "sessions_ended": receipt.sessions_ended,
        "sessions_kept": receipt.sessions_kept,
        "mode": receipt.mode.value,
        "token_version": receipt.token_version,
        "no_op": receipt.no_op,
        "links_ended": receipt.links_ended,
        "mails": receipt.mails,
        "effective_by": receipt.effective_by,
        "latest_by": receipt.latest_by,
    }


def print_receipt(receipt: Receipt, user: User | None, *, dry_run: bool, as_json: bool) -> None:
    """Print what was done and what ended, for people or for programs."""
    if as_json:
        print_record(describe_receipt(receipt, user, dry_run=dry_run), as_json=True)
        return
    said = say_receipt(receipt, user, dry_run=dry_run)
    act = _ACTS.get(receipt.event)
    ends_tokens = not dry_run and not receipt.no_op and (act is None or act.ends_tokens)
    click.echo(f"{said}; {say_bounds(receipt)}" if ends_tokens else said)


def say_receipt(receipt: Receipt, user: User | None, *, dry_run: bool) -> str:
    """Say in one line what was done, what ended, what continues, and what was mailed."""
    act = None if user is None else _ACTS.get(receipt.event)
    parts = []
    if act is not None and user is not None:
        parts.append(_say_act(act, receipt, user, dry_run=dry_run))
    if act is None or receipt.sessions_ended:
        how = f" ({receipt.mode})" if receipt.sessions_ended else ""
        parts.append(f"{count(receipt.sessions_ended, 'session')} {'would end' if dry_run else 'ended'}{how}")
    if receipt.sessions_kept:
        parts.append(_say_kept(receipt.sessions_kept, pauses=act is not None and act.pauses, dry_run=dry_run))
    if receipt.links_ended:
        parts.append(f"{count(receipt.links_ended, 'mailed link')} {'would be' if dry_run else 'is'} dead")
    if receipt.mails:
        parts.append(f"{'would mail' if dry_run else 'mailed'} {', '.join(receipt.mails)}")
    return "; ".join(parts)


def _say_act(act: _Act, receipt: Receipt, user: User, *, dry_run: bool) -> str:
    words = {"email": user.email, "roles": " ".join(user.roles) or "none"}
    if receipt.no_op:
        return f"{'would change' if dry_run else 'changed'} nothing: {act.done.format(**words)}"
    return (act.would if dry_run else act.done).format(**words)


def say_bounds(receipt: Receipt) -> str:
    """Say until when resource servers may accept access tokens that were issued before the act."""
    return (
        f"old access tokens stop working by {receipt.latest_by:%Y-%m-%d %H:%M:%S}Z,"
        f" at servers that follow the revocation feed by {receipt.effective_by:%H:%M:%S}Z"
    )


def _say_kept(number: int, *, pauses: bool, dry_run: bool) -> str:
    if pauses:
        return f"{count(number, 'session')} {'would pause' if dry_run else 'paused'}"
    goes_on = "would go on" if dry_run else "goes on" if number == 1 else "go on"
    return f"{count(number, 'session')} {goes_on}"


def count(number: int, noun: str) -> str:
    """Count things: "no sessions", "1 session", "2 sessions"."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
