"""`authserver policy`: prints the revocation policy, and explains what an event would end now."""

from dataclasses import asdict

import click

from authserver.administration.look_up import find_user
from authserver.administration.preview import preview
from authserver.cli.context import Context
from authserver.cli.failures import refuse
from authserver.cli.output import Plain, Record, Value, json_option, print_list, print_record
from authserver.cli.receipts import describe_receipt, say_receipt
from authserver.credentials.events import EVENTS, CredentialEvent
from authserver.credentials.policy_row import PolicyRow
from authserver.credentials.representative import represent
from authserver.revocation.policy_words import explain

_COLUMNS = ("event", "reach", "mode", "bump", "renew_current", "client_may_choose", "spared", "notify", "changed")


def _find_event(ctx: click.Context, param: click.Parameter, value: str) -> type[CredentialEvent]:
    for event in EVENTS:
        if event.name == value:
            return event
    names = ", ".join(event.name for event in EVENTS)
    raise click.BadParameter(f"there is no credential event {value!r}; there are {names}", ctx, param)


@click.group()
def policy() -> None:
    """The revocation policy: which credential event ends what. AUTHSERVER_REVOCATION_POLICY changes it."""


@policy.command()
@json_option
@click.pass_obj
def show(context: Context, *, as_json: bool) -> None:
    """Print the policy in force. `changed` marks rows that settings change."""
    rows = context.settings.revocation_policy.rows
    records: list[Record] = [
        {"event": event.name, **_describe(rows[event.name]), "changed": rows[event.name] != event.POLICY}
        for event in EVENTS
    ]
    print_list("policy", records, columns=_COLUMNS, as_json=as_json)


@policy.command("explain")
@click.argument("event", callback=_find_event)
@click.option("--user", help="Also say what EVENT would end for this user now: e-mail address or id.")
@click.option(
    "--session", "sid", help="The user's session that asks, or that EVENT is about. Default: the one last used."
)
@click.option("--no-logout-devices", is_flag=True, help="Assume that the client asks to keep the other devices.")
@json_option
@click.pass_obj
def explain_event(
    context: Context,
    *,
    event: type[CredentialEvent],
    user: str | None,
    sid: str | None,
    no_logout_devices: bool,
    as_json: bool,
) -> None:
    """Explain what EVENT ends.

    With --user, runs the event and rolls it back.
    """
    if sid is not None and user is None:
        raise click.UsageError("--session needs --user")
    row = context.settings.revocation_policy.row(event)
    example = represent(event, user_id="", email="", roles=(), sid="", link_issued_at=context.clock.now())
    says = tuple(sentence.value for sentence in explain(example, row, logout_devices=not no_logout_devices))
    record: dict[str, Value] = {"event": event.name, **_describe(row), "says": says}
    lines = list(says)
    if user is not None:
        found = refuse(find_user(context.realm, user))
        foreseen = refuse(
            preview(context.realm, event, found, sid=sid, logout_devices=not no_logout_devices, by=context.operator)
        )
        record["sid"] = foreseen.sid
        record["receipt"] = describe_receipt(foreseen.receipt, found, dry_run=True)
        asking = "and the user has no session" if foreseen.sid is None else f"from or about session {foreseen.sid}"
        lines += ["", f"Now, {asking}: {say_receipt(foreseen.receipt, found, dry_run=True)}"]
    if as_json:
        print_record(record, as_json=True)
    else:
        click.echo("\n".join(lines))


def _describe(row: PolicyRow) -> dict[str, Plain]:
    return {member: value if isinstance(value, bool) else str(value) for member, value in asdict(row).items()}
