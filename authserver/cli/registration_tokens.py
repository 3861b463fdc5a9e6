"""`authserver clients registration-token` and its neighbours: tokens with which clients register themselves."""

from datetime import timedelta
from typing import Final

import click

from authserver.cli.context import Context
from authserver.cli.failures import refuse
from authserver.cli.moments import read_length
from authserver.cli.output import Record, demand_shown, json_option, print_list, print_record
from authserver.clients.registration_tokens import (
    LONGEST_LIFETIME,
    MOST_USES,
    Offer,
    end_registration_token,
    list_registration_tokens,
    make_registration_token,
)
from authserver.records.registration_token import RegistrationToken

_COLUMNS: Final = ("token_id", "scope", "audience", "uses_left", "expires_at")
_USES: Final = f"How many clients it registers, at most {MOST_USES}."
_LIFETIME: Final = f"How long it registers clients: 90m, 24h, 7d; at most {LONGEST_LIFETIME.days}d."


@click.command("registration-token")
@click.option("--scope", multiple=True, help="Scopes that its clients may ask for, separated by spaces. Repeatable.")
@click.option("--audience", multiple=True, help="Resource that its clients may ask tokens for. Repeatable.")
@click.option("--uses", type=int, default=1, show_default=True, help=_USES)
@click.option("--expires-in", metavar="TIME", default="24h", show_default=True, callback=read_length, help=_LIFETIME)
@json_option
@click.pass_obj
def make_token(
    context: Context,
    *,
    scope: tuple[str, ...],
    audience: tuple[str, ...],
    uses: int,
    expires_in: timedelta,
    as_json: bool,
) -> None:
    """Make a token with which a client registers itself at /oauth/register; print it, only this once.

    Clients that register themselves may have the given scopes and audiences at most, and their users are always asked.
    """
    offer = Offer(scope=tuple(" ".join(scope).split()), audience=audience, uses=uses, lifetime=expires_in)
    made = refuse(make_registration_token(context.realm, offer, by=context.operator))
    print_record({**_describe(made.token), "registration_token": made.text.reveal()}, as_json=as_json)
    demand_shown("the registration token", f"authserver clients end-registration-token {made.token.token_id}")
    if not as_json and not context.realm.registers_clients:
        click.echo(
            "Clients cannot use it before AUTHSERVER_DYNAMIC_REGISTRATION=initial-access-token is set.", err=True
        )


@click.command("registration-tokens")
@json_option
@click.pass_obj
def list_tokens(context: Context, *, as_json: bool) -> None:
    """Print the tokens that still register clients, oldest first."""
    records = [_describe(token) for token in list_registration_tokens(context.realm)]
    print_list("registration_tokens", records, columns=_COLUMNS, as_json=as_json)


@click.command("end-registration-token")
@click.argument("token_id")
@click.pass_obj
def end_token(context: Context, *, token_id: str) -> None:
    """End a registration token before its time. The clients that it has registered stay."""
    refuse(end_registration_token(context.realm, token_id, by=context.operator))
    click.echo(f"The registration token {token_id} registers no more clients.")


def _describe(token: RegistrationToken) -> Record:
    return {
        "token_id": token.token_id,
        "scope": token.scope,
        "audience": token.audience,
        "uses_left": token.uses_left,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    }


REGISTRATION_TOKEN_COMMANDS: Final = (make_token, list_tokens, end_token)
