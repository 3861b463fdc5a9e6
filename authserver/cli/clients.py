"""`authserver clients`: the registered applications. A secret is printed once, when it is created."""

from dataclasses import replace
from datetime import timedelta
from enum import Enum
from typing import Any

import click

from authserver.administration.look_up import find_client, list_clients
from authserver.cli.client_options import kind_options, name_option, read_settings, settings_options
from authserver.cli.context import Context
from authserver.cli.failures import refuse
from authserver.cli.moments import read_length
from authserver.cli.output import Record, Value, demand_shown, escape, json_option, print_list, print_record
from authserver.cli.questions import ask, yes_option
from authserver.cli.receipts import say_bounds
from authserver.cli.registration_tokens import REGISTRATION_TOKEN_COMMANDS
from authserver.clients.client_registration import ClientChanges, ClientRegistration
from authserver.clients.client_standing import delete_client, disable_client, enable_client
from authserver.clients.register_client import (
    LONGEST_OVERLAP,
    RegisteredClient,
    end_former_secret,
    register_client,
    rotate_secret,
    update_client,
)
from authserver.custody.rotate_keys import ensure_id_token_keys
from authserver.jose.algorithms import find_client_algorithm
from authserver.jose.jwk import read_jwks
from authserver.protocol.client_metadata import CLIENT_CREDENTIALS, TOKEN_PATH, ClientKind
from authserver.realm.client_registry import MAX_AGE
from authserver.records.client import Client
from authserver.records.client_attribute import Form, KeySet
from authserver.records.client_settings import ATTRIBUTES
from authserver.records.credential_rules import has_secret

_COLUMNS = ("client_id", "name", "kind", "provenance", "first_party", "scope", "state")
_WITHOUT_REDIRECT = {ClientKind.RESOURCE_SERVER, ClientKind.DEVICE}
_OVERLAP = f"How long the old secret stays valid: 90m, 24h, 7d; at most {LONGEST_OVERLAP.days}d. Default: not at all."


@click.group()
def clients() -> None:
    """OAuth clients: applications that sign people in, and resource servers."""


@clients.command()
@click.argument("name")
@kind_options
@settings_options
@json_option
@click.pass_obj
def create(context: Context, /, *, name: str, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - by the options
    """Register the application NAME; print its configuration and, only this once, its secret."""
    kind = _choose_kind({kind: options.pop(kind.value.replace("-", "_")) for kind in ClientKind})
    settings = read_settings(options)
    _ensure_key(context, settings, as_json=as_json)
    registration = replace(ClientRegistration(name, kind), **settings)
    registered = refuse(register_client(context.realm, registration, by=context.operator))
    _print_registered(context, registered, as_json=as_json)


@clients.command("list")
@json_option
@click.pass_obj
def list_all(context: Context, *, as_json: bool) -> None:
    """Print all clients, oldest first."""
    records = [_describe(client) for client in list_clients(context.realm)]
    print_list("clients", records, columns=_COLUMNS, as_json=as_json)


@clients.command()
@click.argument("client_id")
@json_option
@click.pass_obj
def show(context: Context, *, client_id: str, as_json: bool) -> None:
    """Print one client."""
    print_record(_describe(refuse(find_client(context.realm, client_id))), as_json=as_json)


@clients.command()
@click.argument("client_id")
@name_option
@settings_options
@json_option
@click.pass_obj
def update(context: Context, /, *, client_id: str, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - by the options
    """Change the given options and leave the rest. A list is replaced; --origin '' empties it.

    The kind cannot change. Tokens that were issued stay valid; `disable` ends them.
    """
    changes = read_settings(options)
    if not changes:
        raise click.UsageError("name at least one option to change")
    _ensure_key(context, changes, as_json=as_json)
    client = refuse(update_client(context.realm, client_id, changes, by=context.operator))
    print_record(_describe(client), as_json=as_json)
    if has_secret(client, client.kind) and client.secret_digest is None:
        click.echo(f"It has no secret yet. Run: authserver clients rotate-secret {client_id}", err=True)


@clients.command("rotate-secret")
@click.argument("client_id")
@click.option("--overlap", metavar="TIME", default="0", callback=read_length, help=_OVERLAP)
@click.option("--keep-former", is_flag=True, help="Replace only the new secret, if it was lost; keep the former one.")
@json_option
@click.pass_obj
def rotate_secret_of(context: Context, *, client_id: str, overlap: timedelta, keep_former: bool, as_json: bool) -> None:
    """Give the client a new secret. Its tokens stay valid.

    The old secret is refused within seconds. With --overlap, both secrets are accepted for that time.
    """
    if overlap > LONGEST_OVERLAP:
        raise click.BadParameter(f"is more than {LONGEST_OVERLAP.days}d.", param_hint="--overlap")
    if overlap and keep_former:
        raise click.UsageError("--overlap and --keep-former exclude each other")
    registered = refuse(
        rotate_secret(context.realm, client_id, overlap=overlap, keep_former=keep_former, by=context.operator)
    )
    _print_registered(context, registered, as_json=as_json)
    if not as_json:
        click.echo(_say_how_long(registered.client), err=True)


@clients.command("end-former-secret")
@click.argument("client_id")
@click.pass_obj
def end_former_secret_of(context: Context, *, client_id: str) -> None:
    """Refuse the old secret before the end of `rotate-secret --overlap`."""
    refuse(end_former_secret(context.realm, client_id, by=context.operator))
    click.echo(f"The former secret of {client_id} is refused within {MAX_AGE:.0f} seconds.")


@clients.command()
@click.argument("client_id")
@click.pass_obj
def disable(context: Context, *, client_id: str) -> None:
    """Refuse the client and all its tokens, at once. The tokens stay dead when it is enabled again."""
    receipt = refuse(disable_client(context.realm, client_id, context.operator))
    click.echo(f"{client_id} is disabled; its refresh tokens no longer work; {say_bounds(receipt)}")


@clients.command()
@click.argument("client_id")
@click.pass_obj
def enable(context: Context, *, client_id: str) -> None:
    """Let the client sign people in again."""
    refuse(enable_client(context.realm, client_id, by=context.operator))
    click.echo(f"{client_id} is enabled; its earlier tokens stay dead")


@clients.command()
@click.argument("client_id")
@yes_option
@click.pass_obj
def delete(context: Context, *, client_id: str, yes: bool) -> None:
    """Disable the client and remove it with all its data. This is final; the audit record keeps its id."""
    client = refuse(find_client(context.realm, client_id))
    ask(f"Delete {escape(client.name)} ({client_id}) with all its tokens and consents?", yes=yes)
    refuse(delete_client(context.realm, client_id, by=context.operator))
    click.echo(f"{client_id} is deleted, with all its tokens and consents")


for _command in REGISTRATION_TOKEN_COMMANDS:
    clients.add_command(_command)


def _ensure_key(context: Context, settings: ClientChanges, *, as_json: bool) -> None:
    """Make the key for the ID tokens that the client asks for, before it can ask."""
    algorithm = settings.get("id_token_signed_response_alg")
    if algorithm is not None and ensure_id_token_keys(context.custody, algorithm, by=context.operator):
        context.realm.keyring.reload()
        if not as_json:
            click.echo(f"A new {algorithm} key signs ID tokens of clients that ask for it.", err=True)


def _say_how_long(client: Client) -> str:
    former = client.former_secret
    if former is None:
        return f"The former secret is refused within {MAX_AGE:.0f} seconds."
    end = f"authserver clients end-former-secret {client.client_id}"
    return f"The former secret is accepted until {former.expires_at:%Y-%m-%d %H:%M:%S}Z; to end it earlier, run: {end}"


def _choose_kind(kinds: dict[ClientKind, bool]) -> ClientKind:
    chosen = [kind for kind, is_chosen in kinds.items() if is_chosen]
    if len(chosen) > 1:
        names = " and ".join(f"--{kind.value}" for kind in chosen)
        raise click.UsageError(f"{names} exclude each other")
    return chosen[0] if chosen else ClientKind.PUBLIC


def _print_registered(context: Context, registered: RegisteredClient, *, as_json: bool) -> None:
    """Print the client with its secret, and for people the lines to paste into their configuration."""
    client, secret = registered.client, registered.secret
    record = dict(_describe(client))
    if as_json and secret is not None:
        record["client_secret"] = secret.reveal()
    print_record(record, as_json=as_json)
    if not as_json:
        click.echo("\n" + "\n".join(_say_what_to_paste(context, registered)))
        if doubt := _find_doubt(client):
            click.echo(f"\n{doubt}")
    if secret is not None:
        again = f"authserver clients rotate-secret {client.client_id}"
        # The former secret is still in use. Without --keep-former the next rotation would end it.
        remedy = again if client.former_secret is None else f"{again} --keep-former"
        demand_shown(f"the secret of {client.client_id}", remedy)
        if not as_json:
            click.echo("Store the secret now; it is not shown again.", err=True)


def _find_doubt(client: Client) -> str | None:
    """Find why nobody can sign in to the client as it is configured; None if people can, or are not supposed to."""
    needs_none = client.kind in _WITHOUT_REDIRECT or CLIENT_CREDENTIALS in client.grant_types
    if needs_none or client.first_party or client.redirect_uris:
        return None
    way = f"authserver clients update {client.client_id}"
    return (
        f"Warning: nobody can sign in to this client, because it has no redirect URI. Run: {way} --redirect-uri URI"
        "\n(or with --first-party, if it is yours and uses the account API)"
    )


def _say_what_to_paste(context: Context, registered: RegisteredClient) -> list[str]:
    client, issuer = registered.client, context.realm.issuer
    secret = None if registered.secret is None else registered.secret.reveal()
    if client.kind is ClientKind.RESOURCE_SERVER:
        audience = (*client.audience, context.realm.default_audience)[0]
        known = {"issuer": issuer, "audience": audience, "client_id": client.client_id, "client_secret": secret}
        arguments = ", ".join(f"{name}={value!r}" for name, value in known.items() if value is not None)
        return [
            "For the API (pip install WHEEL):",
            "  from authserver.verifier import Verifier",
            f"  verifier = Verifier({arguments})",
            "  claims = verifier.verify(token)",
        ]
    pairs = [
        ("issuer", issuer),
        ("discovery", f"{issuer}/.well-known/openid-configuration"),
        ("client_id", client.client_id),
        *((("client_secret", secret),) if secret is not None else ()),
        *((("token_endpoint", issuer + TOKEN_PATH),) if CLIENT_CREDENTIALS in client.grant_types else ()),
        *(("redirect_uri", uri) for uri in client.redirect_uris),
    ]
    return ["For the application:", *(f"  {name:<14} {value}" for name, value in pairs)]


def _describe(client: Client) -> Record:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "kind": client.kind.value,
        "provenance": client.provenance.name,
        **{name: _simplify(attribute.form, client.of(name)) for name, attribute in ATTRIBUTES.items()},
        "state": "enabled" if client.is_enabled else "disabled",
        "created_at": client.created_at,
        "disabled_at": client.disabled_at,
        "former_secret_until": None if client.former_secret is None else client.former_secret.expires_at,
    }


def _simplify(form: Form, value: Any) -> Value:  # noqa: ANN401 - as its form says
    if isinstance(form, KeySet) and value is not None:
        return tuple(
            f"{key.kid} {key.algorithm.name}" for key in read_jwks(value.encode(), find_client_algorithm).values()
        )
    plain: Value = value.value if isinstance(value, Enum) else value
    return plain
