"""`authserver sessions`: lists and ends live sessions."""

import click

from authserver.administration.look_up import end_session_of_user, find_user, list_users
from authserver.authentication.sign_out import list_sessions
from authserver.cli.context import Context
from authserver.cli.failures import refuse
from authserver.cli.output import Record, json_option, print_list
from authserver.cli.receipts import act_options, print_receipt
from authserver.records.session import SessionSummary
from authserver.records.user import User

_COLUMNS = ("email", "device_name", "clients", "ip", "last_used_at", "sid")


@click.group()
def sessions() -> None:
    """Live sessions: one sign-in of one user on one device."""


@sessions.command("list")
@click.option("--user", help="Only sessions of this user, by e-mail address or id.")
@json_option
@click.pass_obj
def list_live(context: Context, *, user: str | None, as_json: bool) -> None:
    """Print live sessions, by user."""
    owners = list_users(context.realm) if user is None else [refuse(find_user(context.realm, user))]
    records = [_describe(owner, summary) for owner in owners for summary in list_sessions(context.realm, owner.user_id)]
    print_list("sessions", records, columns=_COLUMNS, as_json=as_json)


@sessions.command()
@click.argument("sid")
@act_options
@click.pass_obj
def revoke(context: Context, *, sid: str, dry_run: bool, as_json: bool) -> None:
    """End the session SID with all its refresh tokens, at once."""
    receipt = refuse(end_session_of_user(context.realm, sid, by=context.operator, dry_run=dry_run))
    print_receipt(receipt, None, dry_run=dry_run, as_json=as_json)


def _describe(user: User, summary: SessionSummary) -> Record:
    session = summary.session
    return {
        "sid": session.sid,
        "user_id": user.user_id,
        "email": user.email,
        "device_id": session.device_id,
        "device_name": session.device_name,
        "client_id": session.client_id,
        "clients": summary.clients,
        "ip": session.ip,
        "user_agent": session.user_agent,
        "created_at": session.created_at,
        "last_used_at": summary.last_used_at,
        "expires_at": summary.expires_at,
    }
