"""`authserver clients`: the registered applications. A secret is printed once, when it is made."""

import click

from authserver.accounts.oversee import find_client, list_clients
from authserver.accounts.register_client import ClientWish, register_client
from authserver.accounts.switch_client import disable_client, enable_client
from authserver.cli.context import OPERATOR, Context
from authserver.cli.failures import refuse
from authserver.cli.output import Command, Record, json_option, print_list, print_record
from authserver.protocol.client_metadata import ClientKind
from authserver.storage.clients import Client

_COLUMNS = ("client_id", "name", "kind", "first_party", "scope", "state")
_KINDS = {
    ClientKind.PUBLIC: "A browser app: no secret. This is the default.",
    ClientKind.CONFIDENTIAL: "A server: authenticates with a secret.",
    ClientKind.NATIVE: "A mobile or desktop app: no secret.",
    ClientKind.DEVICE: "A device without a browser: no secret.",
    ClientKind.RESOURCE_SERVER: "An API: asks about tokens, signs nobody in.",
}


def _kind_options(command: Command) -> Command:
    for kind, meaning in reversed(_KINDS.items()):
        command = click.option(f"--{kind.value}", is_flag=True, help=meaning)(command)
    return command


@click.group()
def clients() -> None:
    """OAuth clients: applications that sign people in, and resource servers."""


@clients.command()
@click.argument("name")
@_kind_options
@click.option(
    "--redirect-uri", "redirect_uris", multiple=True, help="Where to return to; compared exactly. Repeatable."
)
@click.option(
    "--origin", "origins", multiple=True, help="Browser origin that may call, https://app.example. Repeatable."
)
@click.option("--scope", "scopes", multiple=True, help="What it may ask for, with spaces between. Repeatable.")
@click.option("--audience", "audience", multiple=True, help="Resource it may name, an absolute URI. Repeatable.")
@click.option("--first-party", is_flag=True, help="Our own: may take e-mail addresses and passwords.")
@json_option
@click.pass_obj
def create(
    context: Context,
    /,
    *,
    name: str,
    redirect_uris: tuple[str, ...],
    origins: tuple[str, ...],
    scopes: tuple[str, ...],
    audience: tuple[str, ...],
    first_party: bool,
    as_json: bool,
    **kinds: bool,
) -> None:
    """Register the application NAME; print its client_id and, this one time, its secret."""
    wish = ClientWish(
        name=name,
        kind=_choose_kind(kinds),
        first_party=first_party,
        scope=tuple(" ".join(scopes).split()),
        audience=audience,
        redirect_uris=redirect_uris,
        origins=origins,
    )
    registered = refuse(register_client(context.realm, wish, by=OPERATOR))
    record = dict(_describe(registered.client))
    if registered.secret is not None:
        record["client_secret"] = registered.secret.reveal()
    print_record(record, as_json=as_json)
    if registered.secret is not None and not as_json:
        click.echo("Keep the secret now; it will not be shown again.", err=True)


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
@click.pass_obj
def disable(context: Context, *, client_id: str) -> None:
    """Refuse the client and every token it holds, at once. They stay dead when it is enabled again."""
    refuse(disable_client(context.realm, client_id, OPERATOR))
    click.echo(f"{client_id} is disabled")


@clients.command()
@click.argument("client_id")
@click.pass_obj
def enable(context: Context, *, client_id: str) -> None:
    """Let the client sign people in again."""
    refuse(enable_client(context.realm, client_id, by=OPERATOR))
    click.echo(f"{client_id} is enabled")


def _choose_kind(kinds: dict[str, bool]) -> ClientKind:
    chosen = [kind for kind in ClientKind if kinds[kind.value.replace("-", "_")]]
    if len(chosen) > 1:
        names = " and ".join(f"--{kind.value}" for kind in chosen)
        raise click.UsageError(f"{names} exclude each other")
    return chosen[0] if chosen else ClientKind.PUBLIC


def _describe(client: Client) -> Record:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "kind": client.kind.value,
        "first_party": client.first_party,
        "scope": client.scope,
        "audience": client.audience,
        "redirect_uris": client.redirect_uris,
        "origins": client.origins,
        "state": "enabled" if client.disabled_at is None else "disabled",
        "created_at": client.created_at,
        "disabled_at": client.disabled_at,
    }
