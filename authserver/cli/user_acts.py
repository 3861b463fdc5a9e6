"""The acts of operators on users in `authserver users …`. Each command is one credential event."""

from collections.abc import Callable
from typing import Final

import click

from authserver.administration.look_up import find_user
from authserver.administration.manage_user import apply_event, change_roles, revoke_everything
from authserver.administration.set_password import set_password
from authserver.cli.context import Context
from authserver.cli.failures import refuse
from authserver.cli.output import print_list, print_record
from authserver.cli.passwords import password_option, read_password
from authserver.cli.questions import ask, yes_option
from authserver.cli.receipts import act_options, describe_receipt, print_receipt, say_receipt
from authserver.credentials.events import (
    CredentialEvent,
    PasswordSetByAdmin,
    SignedOutByAdmin,
    UserDeleted,
    UserDisabled,
    UserEnabled,
    UserLocked,
    UserUnlocked,
)
from authserver.credentials.representative import NO_HASH


@click.command("set-password")
@click.argument("user")
@password_option
@act_options
@click.pass_obj
def set_password_of(context: Context, *, user: str, password_stdin: bool, dry_run: bool, as_json: bool) -> None:
    """Set a new password for USER, and end all their sessions.

    A dry run asks for no password, but checks one on standard input.
    """
    found = refuse(find_user(context.realm, user))
    if dry_run and not password_stdin:
        event = PasswordSetByAdmin(found.user_id, NO_HASH)
        receipt = refuse(apply_event(context.realm, found.user_id, event, by=context.operator, dry_run=True))
    else:
        password = read_password(stdin=password_stdin)
        receipt = refuse(set_password(context.realm, found.user_id, password, by=context.operator, dry_run=dry_run))
    print_receipt(receipt, found, dry_run=dry_run, as_json=as_json)


def _build_act(name: str, make: Callable[[str], CredentialEvent], explanation: str) -> click.Command:
    """Build the command `name`, which applies the event that `make` creates for a user's id."""

    @click.command(name, help=explanation)
    @click.argument("user")
    @act_options
    @click.pass_obj
    def act(context: Context, *, user: str, dry_run: bool, as_json: bool) -> None:
        found = refuse(find_user(context.realm, user))
        event = make(found.user_id)
        receipt = refuse(apply_event(context.realm, found.user_id, event, by=context.operator, dry_run=dry_run))
        print_receipt(receipt, found, dry_run=dry_run, as_json=as_json)

    return act


@click.command()
@click.argument("user")
@yes_option
@act_options
@click.pass_obj
def delete(context: Context, *, user: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Delete USER with all data that names them. This is final; the audit record keeps their id."""
    found = refuse(find_user(context.realm, user))
    ask(f"Delete {found.email} with all sessions, devices and consents?", yes=yes or dry_run)
    event = UserDeleted(found.user_id)
    receipt = refuse(apply_event(context.realm, found.user_id, event, by=context.operator, dry_run=dry_run))
    print_receipt(receipt, found, dry_run=dry_run, as_json=as_json)


@click.command()
@click.argument("user")
@click.argument("exactly", metavar="[ROLE]...", nargs=-1)
@click.option("--add", multiple=True, help="A role to grant; may be repeated.")
@click.option("--remove", multiple=True, help="A role to remove; may be repeated.")
@click.option("--none", is_flag=True, help="Remove all roles.")
@act_options
@click.pass_obj
def roles(
    context: Context,
    *,
    user: str,
    exactly: tuple[str, ...],
    add: tuple[str, ...],
    remove: tuple[str, ...],
    none: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Give USER exactly these roles, or --add and --remove some.

    Sessions stay alive, and the next refresh carries the new roles; access tokens with the old roles are stale at
    once.
    """
    if sum((bool(exactly), bool(add or remove), none)) != 1:
        raise click.UsageError("name the roles, or use --add and --remove, or --none")
    found = refuse(find_user(context.realm, user))
    after, receipt = refuse(
        change_roles(
            context.realm,
            found.user_id,
            exactly=exactly if exactly or none else None,
            add=add,
            remove=remove,
            by=context.operator,
            dry_run=dry_run,
        )
    )
    if receipt is not None:
        print_receipt(receipt, after, dry_run=dry_run, as_json=as_json)
    elif as_json:
        print_record({"event": None, "dry_run": dry_run, "user_id": after.user_id, "email": after.email}, as_json=True)
    else:
        click.echo(f"nothing to do: {after.email} already has these roles")


@click.command()
@click.argument("user", required=False)
@click.option("--all", "everybody", is_flag=True, help="End the sessions of all users, one user after the other.")
@yes_option
@act_options
@click.pass_obj
def revoke(context: Context, *, user: str | None, everybody: bool, yes: bool, dry_run: bool, as_json: bool) -> None:
    """End all sessions and access tokens of USER, or of all users. They may sign in again at once.

    If it was interrupted, run it again.
    """
    if everybody == (user is not None):
        raise click.UsageError("name a user, or use --all")
    if user is not None:
        found = refuse(find_user(context.realm, user))
        event = SignedOutByAdmin(found.user_id)
        receipt = refuse(apply_event(context.realm, found.user_id, event, by=context.operator, dry_run=dry_run))
        print_receipt(receipt, found, dry_run=dry_run, as_json=as_json)
        return
    ask("End all sessions of all users?", yes=yes or dry_run)
    _revoke_everything(context, dry_run=dry_run, as_json=as_json)


def _revoke_everything(context: Context, *, dry_run: bool, as_json: bool) -> None:
    records, ended = [], 0
    for user, receipt in revoke_everything(context.realm, by=context.operator, dry_run=dry_run):
        records.append(describe_receipt(receipt, user, dry_run=dry_run))
        ended += receipt.sessions_ended
        if not as_json:
            click.echo(say_receipt(receipt, user, dry_run=dry_run))
    if as_json:
        print_list("users", records, columns=(), as_json=True)
    else:
        click.echo(f"{'would end' if dry_run else 'ended'} {ended} sessions of {len(records)} users")


ACTS: Final[tuple[click.Command, ...]] = (
    set_password_of,
    _build_act(
        "lock",
        UserLocked,
        "Lock USER until `unlock`. Meanwhile nothing works; then the same sessions continue.",
    ),
    _build_act("unlock", UserUnlocked, "Unlock USER. Their sessions continue."),
    _build_act("disable", UserDisabled, "Sign USER out everywhere, and refuse sign-ins until `enable`."),
    _build_act("enable", UserEnabled, "Let USER sign in again after `disable`. Ended sessions stay ended."),
    delete,
    roles,
    revoke,
)
"""The commands of this file, in the order of the contract."""
