"""`authserver init`: creates what a server needs. It can be repeated, and changes nothing that exists."""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from authserver.account.register import create_user
from authserver.administration.look_up import find_user
from authserver.administration.set_password import set_password
from authserver.cli.context import Context
from authserver.cli.failures import refuse
from authserver.cli.key_words import say_step
from authserver.cli.output import demand_shown
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID, ClientRegistration, register_client
from authserver.config import Settings
from authserver.custody.rotate_keys import repair_keys
from authserver.keyring.master_files import ensure_master_key
from authserver.keyring.sealing import sealed_by
from authserver.protocol import base64url
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.user import User

DEMO_EMAIL: Final = "demo@example.com"
FIRST_PARTY_SCOPE: Final = ("openid", "profile", "email", "admin")
_DEMO_SETTINGS: Final = """\
# Written by `authserver init --demo`: for trying things out, not for production.
REGISTRATION = "open"
REQUIRE_VERIFIED_EMAIL = false
# Short, so that a new key can sign soon after it was published, and a rotation can be watched.
JWKS_MAX_AGE = 1
"""


@click.command()
@click.option(
    "--demo", is_flag=True, help=f"Set up a demo: open registration, and the user {DEMO_EMAIL} with a new password."
)
@click.pass_obj
def init(context: Context, *, demo: bool) -> None:
    """Create what a server needs: database, master key, first keys, first-party client.

    It is safe to run again: it creates what is missing and changes nothing else.
    """
    settings = context.settings
    with _naming(settings.home):
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    schema = context.schema.upgrade()
    _print("database", f"at revision {schema.now}", done=schema.before != schema.now)
    _refuse_lost_master_key(context)
    master = ensure_master_key(settings.keys_dir, now=context.clock.now(), entropy=context.entropy)
    _print("master key", str(master or settings.keys_dir), done=master is not None)
    steps = repair_keys(context.custody, by=context.operator)
    for step in steps:
        click.echo(f"keys         {say_step(step)}")
    if not steps:
        _print("keys", "complete", done=False)
    _print("client", FIRST_PARTY_CLIENT_ID, done=_ensure_first_party(context.realm, context.operator))
    if demo:
        _set_up_demo(context)
    else:
        click.echo("\nNext:\n  authserver users create you@example.com --role admin\n  authserver serve")


def _refuse_lost_master_key(context: Context) -> None:
    """Refuse to continue if the database has keys but their master key is missing.

    A new master key could not open the sealed keys, and would hide that the old one is lost.
    """
    folder, sealed = context.settings.keys_dir, context.custody.load_keys().sealed
    if sealed and not any(folder.glob("*.key")):
        raise click.ClickException(
            f"{folder}: master key {sealed_by(sealed[0])}, which seals the keys of this database, is missing;"
            " copy its file from a backup or from another server"
        )


def _ensure_first_party(realm: Realm, by: Actor) -> bool:
    if realm.clients.find(FIRST_PARTY_CLIENT_ID) is not None:
        return False
    registration = ClientRegistration(
        name="First party",
        kind=ClientKind.PUBLIC,
        client_id=FIRST_PARTY_CLIENT_ID,
        first_party=True,
        scope=FIRST_PARTY_SCOPE,
    )
    refuse(register_client(realm, registration, by=by))
    return True


def _set_up_demo(context: Context) -> None:
    file = _write_demo_settings(context.settings)
    # Base64 makes more than one character of each byte, so this is long enough for any minimum length.
    password = Secret(base64url.encode(context.entropy(max(15, context.settings.password_min_length))))
    user = find_user(context.realm, DEMO_EMAIL)
    if isinstance(user, User):
        refuse(set_password(context.realm, user.user_id, password, by=context.operator))
        _print("demo user", DEMO_EMAIL, done=False)
    else:
        refuse(
            create_user(
                context.realm,
                email=DEMO_EMAIL,
                password=password,
                name="Demo",
                roles=("admin",),
                email_verified=True,
                by=context.operator,
            )
        )
        _print("demo user", DEMO_EMAIL, done=True)
    click.echo(f"password     {password.reveal()}")
    demand_shown(f"the password of {DEMO_EMAIL}", "authserver init --demo")
    click.echo(f"\nNext:\n  export AUTHSERVER_CONFIG={shlex.quote(str(file))}\n  authserver serve")


def _write_demo_settings(settings: Settings) -> Path:
    path = settings.home / "authserver.toml"
    with _naming(path):
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(_DEMO_SETTINGS)
        except FileExistsError:
            _print("settings", str(path), done=False)
        else:
            _print("settings", str(path), done=True)
    return path


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn an `OSError` in this block into a one-line message about `path`."""
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from None


def _print(what: str, value: str, *, done: bool) -> None:
    click.echo(f"{what:<12} {value}{'' if done else ' (already there)'}")
