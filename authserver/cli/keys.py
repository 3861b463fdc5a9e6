"""`authserver keys`: lists and manages the keys. Private parts never leave the database."""

import sys
from pathlib import Path

import click

from authserver.cli.clock_option import confirm_clock_option
from authserver.cli.context import Context
from authserver.cli.key_words import KEY_COLUMNS, describe_key, say_step, say_until
from authserver.cli.output import json_option, print_list
from authserver.custody.change_keys import (
    compromise_key,
    import_key,
    promote_key,
    retire_key,
    stage_mac_key,
    stage_signing_key,
)
from authserver.custody.rewrap_keys import Rewrapped, rewrap_keys
from authserver.custody.rotate_keys import ensure_id_token_keys, rotate_keys
from authserver.jose.algorithms import ALGORITHMS
from authserver.keyring.errors import NeedsPassphraseError
from authserver.keyring.keyring import build_keyring
from authserver.keyring.keys import Purpose
from authserver.keyring.pem import ReadKey, read_pem
from authserver.keyring.steps import Change, Impossible, Step, TooEarly
from authserver.protocol.secret import Secret

_FORCE_RISK = "Until then a resource server that does not fetch unknown keys refuses valid tokens."
_ALGORITHM_NAMES = [algorithm.name for algorithm in ALGORITHMS]
_id_tokens_option = click.option(
    "--id-tokens",
    metavar="ALG",
    type=click.Choice(_ALGORITHM_NAMES),
    help="The keys of clients that ask for ID tokens of this algorithm.",
)


@click.group()
def keys() -> None:
    """Signing keys (for access tokens and ID tokens) and MAC keys (for refresh tokens).

    A key is next (published, not signing), then active (signs), then retiring (verifies until its last token has
    expired), then retired. Running servers apply every change within 5 seconds.
    """


@keys.command("list")
@json_option
@click.pass_obj
def list_keys(context: Context, *, as_json: bool) -> None:
    """Print all keys, past ones included."""
    records = [describe_key(key) for key in context.custody.load_keys().rows]
    print_list("keys", records, columns=KEY_COLUMNS, as_json=as_json)


@keys.command()
@click.option(
    "--alg",
    type=click.Choice(_ALGORITHM_NAMES),
    help="Algorithm of the signing key, and of the keys after it. Default: the current one.",
)
@click.option("--mac", is_flag=True, help="Stage a MAC key.")
@_id_tokens_option
@click.pass_obj
def stage(context: Context, *, alg: str | None, mac: bool, id_tokens: str | None) -> None:
    """Publish a next key, in place of one with another algorithm.

    If a next key with the same algorithm exists, nothing happens. To change the algorithm: stage a key for the new
    one, wait, promote.

    With --id-tokens: keys for the clients that ask for ID tokens of this algorithm. The first one signs at once.
    """
    if (mac or id_tokens) and alg is not None:
        raise click.UsageError("--alg is for signing keys and cannot be used with --mac or --id-tokens")
    if id_tokens is not None:
        steps = ensure_id_token_keys(context.custody, id_tokens, by=context.operator)
        click.echo("\n".join(map(say_step, steps)) or "nothing to do: a key of this algorithm is there")
    elif mac:
        _finish(stage_mac_key(context.custody, by=context.operator))
    else:
        _finish(stage_signing_key(context.custody, alg, by=context.operator))


@keys.command()
@click.option("--mac", is_flag=True, help="Promote the next MAC key.")
@_id_tokens_option
@click.option("--force", is_flag=True, help=f"Do not wait until all caches have the key. {_FORCE_RISK}")
@confirm_clock_option
@click.pass_obj
def promote(context: Context, *, mac: bool, id_tokens: str | None, force: bool, confirm_clock: bool) -> None:
    """Let the next key sign; the active one starts to retire.

    Refused until the next key has been published for longer than the JWKS max-age.
    """
    if mac and id_tokens is not None:
        raise click.UsageError("--mac and --id-tokens exclude each other")
    purpose = Purpose.MAC if mac else Purpose.SIGNING if id_tokens is None else Purpose.of_id_tokens(id_tokens)
    at = None if force else context.trust_clock(confirmed=confirm_clock)
    _finish(promote_key(context.custody, purpose, at, by=context.operator))


@keys.command()
@confirm_clock_option
@click.pass_obj
def rotate(context: Context, *, confirm_clock: bool) -> None:
    """Do the steps that are due.

    For each purpose: stage a next key, promote it, retire an old one.

    Suitable for cron: it is safe to run often, on all nodes at once, and to kill at any point. With
    AUTHSERVER_KEY_ROTATION_INTERVAL a key is replaced once in each interval; without it, on every run if the next key
    is ready. Refused while the clock may be wrong.
    """
    steps = rotate_keys(context.custody, context.trust_clock(confirmed=confirm_clock), by=context.operator)
    changes = [step for step in steps if isinstance(step, Change)]
    for step in changes:
        click.echo(say_step(step))
    if not changes:
        click.echo(say_until(steps))


@keys.command()
@click.argument("kid")
@click.option(
    "--force", is_flag=True, help="Do not wait until its last token has expired. Such tokens are then refused."
)
@confirm_clock_option
@click.pass_obj
def retire(context: Context, kid: str, *, force: bool, confirm_clock: bool) -> None:
    """Destroy KID when no valid token needs it.

    It leaves the JWKS, and its private part is destroyed. `rotate` does this by itself. If somebody else may have the
    key, use `compromise`.
    """
    at = None if force else context.trust_clock(confirmed=confirm_clock)
    _finish(retire_key(context.custody, kid, at, by=context.operator))


@keys.command()
@click.argument("kid")
@click.pass_obj
def compromise(context: Context, kid: str) -> None:
    """Withdraw the stolen key KID at once.

    Use this if somebody else may have the key. The next key signs at once, even if it is new, and this server refuses
    everything that KID signed. Sessions continue with their next refresh; after the compromise of a MAC key people
    have to sign in again.
    """
    _finish(compromise_key(context.custody, kid, by=context.operator))


@keys.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--passphrase-stdin", is_flag=True, help="Read the passphrase of FILE from standard input.")
@click.pass_obj
def import_file(context: Context, file: Path, *, passphrase_stdin: bool) -> None:
    """Publish the key in FILE as the next one.

    FILE is a PEM: EC P-256 (ES256), Ed25519 (EdDSA), or RSA of at least 3072 bits (RS256). Anyone with the file can
    sign tokens: remove it afterwards.
    """
    _finish(import_key(context.custody, _read_file(file, passphrase_stdin=passphrase_stdin), by=context.operator))


@keys.command()
@confirm_clock_option
@click.pass_obj
def rewrap(context: Context, *, confirm_clock: bool) -> None:
    """Seal all keys under the newest master key.

    The newest is the last file in AUTHSERVER_KEYS_DIR by name. Refused until every running server has loaded it.
    docs/keys.md describes the whole procedure.
    """
    match rewrap_keys(context.custody, context.trust_clock(confirmed=confirm_clock), by=context.operator):
        case Rewrapped(fingerprint, count):
            click.echo(f"{count} keys sealed again; all are under master key {fingerprint}")
        case Impossible(reason):
            raise click.ClickException(reason)


@keys.command("create-master")
@click.pass_obj
def create_master(context: Context) -> None:
    """Write a new master key and print its file name.

    The file is written to AUTHSERVER_KEYS_DIR. The key is not used before `rewrap`. Copy the file to every node
    first.
    """
    click.echo(context.create_master_key())


@keys.command()
@click.pass_obj
def jwks(context: Context) -> None:
    """Print the public keys as they are served."""
    custody = context.custody
    click.echo(build_keyring(custody.load_keys().as_of(custody.clock.now()), custody.read_master_keys()).jwks)


def _finish(step: Step) -> None:
    if isinstance(step, Impossible | TooEarly):
        raise click.ClickException(say_step(step))
    click.echo(say_step(step))


def _read_file(file: Path, *, passphrase_stdin: bool) -> ReadKey:
    pem = file.read_bytes()
    if passphrase_stdin:
        return read_pem(pem, Secret(sys.stdin.readline().rstrip("\r\n")))
    try:
        return read_pem(pem)
    except NeedsPassphraseError:
        if not sys.stdin.isatty():
            raise
        return read_pem(pem, Secret(click.prompt("Passphrase", hide_input=True, err=True)))
