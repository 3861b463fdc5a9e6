"""What `authserver clients create` and `update` can be told about a client."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

import click

from authserver.cli.output import Command
from authserver.clients.client_registration import ClientChanges
from authserver.protocol.client_metadata import ClientKind, ConsentRule
from authserver.records.scope_texts import ELSE

KINDS: Final = {
    ClientKind.PUBLIC: "A browser app: no secret. This is the default.",
    ClientKind.CONFIDENTIAL: "A server: authenticates with a secret.",
    ClientKind.NATIVE: "A mobile or desktop app: no secret.",
    ClientKind.DEVICE: "A device without a browser: no secret.",
    ClientKind.RESOURCE_SERVER: "An API: checks tokens, signs nobody in.",
}
_LISTS: Final = {
    "redirect-uri": ("redirect_uris", "Redirect URI after signing in; compared exactly."),
    "post-logout-redirect-uri": ("post_logout_redirect_uris", "Redirect URI after signing out."),
    "origin": ("origins", "Browser origin that may call this server, https://app.example."),
    "scope": ("scope", "Scopes that it may ask for, separated by spaces."),
    "audience": ("audience", "Resource that it may ask tokens for, an absolute URI."),
}
_MARKS: Final = {
    "first-party": "Your own application: may ask for e-mail addresses and passwords.",
    "offline-access": "Give refresh tokens also without the scope offline_access.",
    "pairwise": "Give each user an id that only this client sees.",
}
_LENGTHS: Final = {
    "access-token-lifetime": "Seconds; at most the installation's.",
    "refresh-idle-lifetime": "Seconds; at most the installation's.",
    "refresh-absolute-lifetime": "Seconds; at most the installation's.",
    "retry-window": "Seconds in which a used refresh token still returns its successor. 0: not at all.",
    "late-retry-window": "Seconds in which it does so once more, recorded. 0: not at all.",
}
_ADDRESSES: Final = {
    "logo-uri": "https URL of its logo, shown on the consent page.",
    "client-uri": "URL of its home page, shown on the consent page, too.",
    "policy-uri": "URL of its privacy policy.",
    "tos-uri": "URL of its terms of service.",
}
_SCOPE_TEXT: Final = "Description of a scope for this client, SCOPE=TEXT; SCOPE#de=TEXT in German. Repeatable."
_CONSENT: Final = "When users are asked. Never is only for first-party clients, and is their default."
_MOST_DIGITS: Final = 9
_LANGUAGE_TAG: Final = re.compile(r"#([a-z]{2,3})\Z")  # RFC 7591 §2.2


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time for the client alone; None takes it back to the installation's."""

    own: timedelta | None


def _read_length(ctx: click.Context, param: click.Parameter, value: str | None) -> Length | None:
    if value is None:
        return None
    if value == "default":
        return Length(None)
    if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS):
        raise click.BadParameter("is neither a number of seconds nor 'default'.", ctx, param)
    return Length(timedelta(seconds=int(value)))


def _read_scope_texts(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, dict[str, str]] | None:
    """Scope → language → text. None where nothing was given, nothing in it where one empty text was."""
    table: dict[str, dict[str, str]] = {}
    for value in filter(None, values):
        name, is_split, text = value.partition("=")
        if not is_split:
            raise click.BadParameter("is not like albums:read=See your albums.", ctx, param)
        in_language = _LANGUAGE_TAG.search(name)
        scope = name if in_language is None else name[: in_language.start()]
        table.setdefault(scope, {})[ELSE if in_language is None else in_language[1]] = text
    return table if values else None


def kind_options(command: Command) -> Command:
    """Add one flag for each kind of client."""
    for kind, meaning in reversed(KINDS.items()):
        command = click.option(f"--{kind.value}", is_flag=True, help=meaning)(command)
    return command


def settings_options(command: Command) -> Command:
    """Add what may be set when a client is made, and set anew later; see `read_settings`."""
    options = [
        *(
            click.option(f"--{option}", name, multiple=True, help=f"{meaning} Repeatable.")
            for option, (name, meaning) in _LISTS.items()
        ),
        *(click.option(f"--{mark}/--no-{mark}", default=None, help=meaning) for mark, meaning in _MARKS.items()),
        *(
            click.option(f"--{address}", metavar="URI", help=f"{meaning} Or: ''.")
            for address, meaning in _ADDRESSES.items()
        ),
        click.option(
            "--scope-text",
            "scope_texts",
            metavar="SCOPE=TEXT",
            multiple=True,
            callback=_read_scope_texts,
            help=_SCOPE_TEXT,
        ),
        click.option("--consent", type=click.Choice([rule.value for rule in ConsentRule]), help=_CONSENT),
        *(
            click.option(f"--{length}", metavar="SECONDS", callback=_read_length, help=f"{meaning} Or: default.")
            for length, meaning in _LENGTHS.items()
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def read_settings(options: Mapping[str, Any]) -> ClientChanges:
    """What the options say; those that were not given say nothing. One empty text is the empty list."""
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None and value != ()}
    for name, _ in _LISTS.values():
        if name in given:
            given[name] = tuple(value for value in given[name] if value)
    if "scope" in given:
        given["scope"] = tuple(" ".join(given["scope"]).split())
    for name in (address.replace("-", "_") for address in _ADDRESSES):
        if given.get(name) == "":
            given[name] = None
    if "consent" in given:
        given["consent"] = ConsentRule(given["consent"])
    return cast(
        "ClientChanges", {name: value.own if isinstance(value, Length) else value for name, value in given.items()}
    )
