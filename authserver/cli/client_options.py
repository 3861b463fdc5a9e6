"""The options of `authserver clients create` and `update`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, assert_never

import click

from authserver.cli.output import Command
from authserver.clients.client_registration import ClientChanges
from authserver.jose.client_jwks import LONGEST_TEXT
from authserver.protocol.client_metadata import ClientKind
from authserver.records.client_attribute import (
    Address,
    Attribute,
    CalledAddress,
    Choice,
    ClaimTable,
    Form,
    KeySet,
    Length,
    Line,
    Name,
    ScopeTable,
    ScopeWords,
    Switch,
    Words,
)
from authserver.records.client_settings import ATTRIBUTES
from authserver.records.scope_texts import ELSE

KINDS: Final = {
    ClientKind.PUBLIC: "A browser app: no secret. This is the default.",
    ClientKind.CONFIDENTIAL: "A server: authenticates with a secret or a key.",
    ClientKind.NATIVE: "A mobile or desktop app: no secret.",
    ClientKind.DEVICE: "A device without a browser: no secret.",
    ClientKind.SERVICE: "A program without users: only tokens of its own.",
    ClientKind.RESOURCE_SERVER: "An API: checks tokens, signs nobody in.",
}
_DEFAULT: Final = "default"
_MOST_DIGITS: Final = 9
_LANGUAGE_TAG: Final = re.compile(r"#([a-z]{2,3})\Z")  # RFC 7591 §2.2


@dataclass(frozen=True, slots=True)
class OwnLength:
    """A duration for one client; None restores the duration of the installation."""

    own: timedelta | None


def _read_length(ctx: click.Context, param: click.Parameter, value: str | None) -> OwnLength | None:
    if value is None:
        return None
    if value == _DEFAULT:
        return OwnLength(None)
    if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS):
        raise click.BadParameter("is neither a number of seconds nor 'default'.", ctx, param)
    return OwnLength(timedelta(seconds=int(value)))


def _read_scope_texts(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, dict[str, str]] | None:
    """Read scope → language → text. None if the option was not given; empty if its only value is empty."""
    table: dict[str, dict[str, str]] = {}
    for value in filter(None, values):
        name, is_split, text = value.partition("=")
        if not is_split:
            raise click.BadParameter("is not like albums:read=See your albums.", ctx, param)
        in_language = _LANGUAGE_TAG.search(name)
        scope = name if in_language is None else name[: in_language.start()]
        table.setdefault(scope, {})[ELSE if in_language is None else in_language[1]] = text
    return table if values else None


def _read_claim_table(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str] | None:
    """Claim → source. None where nothing was given, nothing in it where one empty text was."""
    pairs = [value.rpartition("=") for value in values if value]
    if not all(is_split for _, is_split, _ in pairs):
        raise click.BadParameter("is not like groups=roles.", ctx, param)
    return {name: source for name, _, source in pairs} if values else None


def _read_key_set(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """The text of the file. None where the option was not given, nothing in it where an empty text was."""
    if not value:
        return value
    try:
        with click.open_file(value, encoding="utf-8") as file:
            text: str = file.read(LONGEST_TEXT + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise click.BadParameter(f"{value!r} cannot be read: {reason}.", ctx, param) from None
    if not text:
        raise click.BadParameter(f"{value!r} is empty.", ctx, param)
    return text


def kind_options(command: Command) -> Command:
    """Add one flag for each kind of client."""
    for kind, meaning in reversed(KINDS.items()):
        command = click.option(f"--{kind.value}", is_flag=True, help=meaning)(command)
    return command


def settings_options(command: Command) -> Command:
    """Add an option for each attribute that create and update accept; `read_settings` reads them.

    The name has its own option (`name_option`), because `create` takes it as an argument.
    """
    for name, attribute in reversed(tuple(ATTRIBUTES.items())):
        if name != "name":
            command = _option(name, attribute)(command)
    return command


def name_option(command: Command) -> Command:
    """Add the option for the name."""
    return _option("name", ATTRIBUTES["name"])(command)


def option_of(name: str) -> str:
    """The option of this attribute, as it is typed."""
    return f"--{(ATTRIBUTES[name].each or name).replace('_', '-')}"


def read_settings(options: Mapping[str, Any]) -> ClientChanges:
    """Read the attributes that the options set. Those that were not given set nothing; an empty text empties a list."""
    return {
        name: _read(ATTRIBUTES[name].form, typed)
        for name, typed in options.items()
        if typed is not None and typed != ()
    }


def _option(name: str, attribute: Attribute) -> Callable[[Command], Command]:  # noqa: C901 - one case for each form
    option, hint = option_of(name), ""
    more: dict[str, Any] = {}
    match attribute.form:
        case Line():
            pass
        case Switch():
            option, more = f"{option}/--no-{option.removeprefix('--')}", {"default": None}
        case Words() | ScopeWords():
            hint, more = " Repeatable.", {"multiple": True}
        case Choice(of):
            more = {"type": click.Choice([one.value for one in of])}
        case Name(of):
            hint, more = " Or: default.", {"type": click.Choice([*of, _DEFAULT])}
        case Length():
            hint, more = " Or: default.", {"metavar": "SECONDS", "callback": _read_length}
        case Address() | CalledAddress():
            hint, more = " Or: ''.", {"metavar": "URI"}
        case ClaimTable():
            hint, more = " Repeatable.", {"metavar": "CLAIM=roles", "multiple": True, "callback": _read_claim_table}
        case KeySet():
            hint, more = " Or: - for standard input, '' for none.", {"metavar": "FILE", "callback": _read_key_set}
        case ScopeTable():
            hint, more = " Repeatable.", {"metavar": "SCOPE=TEXT", "multiple": True, "callback": _read_scope_texts}
        case _ as never:
            assert_never(never)
    return click.option(option, name, help=attribute.meaning + hint, **more)


def _read(form: Form, typed: Any) -> object:  # noqa: ANN401, PLR0911 - the type depends on the option
    match form:
        case Line() | Switch() | ScopeTable() | ClaimTable():
            return typed
        case Name():
            return None if typed == _DEFAULT else typed
        case Words():
            return tuple(filter(None, typed))
        case ScopeWords():
            return tuple(" ".join(typed).split())
        case Choice(of):
            return of(typed)
        case Length():
            return typed.own
        case Address() | CalledAddress() | KeySet():
            return typed or None
        case _ as never:
            assert_never(never)
