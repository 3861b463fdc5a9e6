"""The rules on what operators set for a client, as far as they need nothing but the client.

`clients/client_registration.py` compares lifetimes with those of the installation.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, assert_never

from authserver.protocol.client_metadata import ClientKind, ConsentRule, PkceRule
from authserver.protocol.mapped_claims import MOST_NAMES, find_name_fault
from authserver.protocol.redirect_uri import find_address_fault
from authserver.protocol.text import is_line
from authserver.records.client_attribute import (
    Address,
    Attribute,
    CalledAddress,
    Choice,
    ClaimTable,
    KeySet,
    Length,
    Line,
    Name,
    ScopeTable,
    ScopeWords,
    Switch,
    Words,
)
from authserver.records.client_settings import ATTRIBUTES, ClientSettings
from authserver.records.field_error import FieldError
from authserver.records.scope_texts import read_scope_texts

_SCOPE_TOKEN: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+\Z")  # RFC 6749 §3.3
_REDIRECTING: Final = frozenset({ClientKind.PUBLIC, ClientKind.CONFIDENTIAL, ClientKind.NATIVE})


def choose_consent(settings: ClientSettings, kind: ClientKind) -> ConsentRule:
    """Choose the consent rule: the requested one.

    Without one, `NEVER` for a first-party client whose identity is certain, `REMEMBER` for every other client.
    """
    if settings.consent is not None:
        return settings.consent
    return ConsentRule.NEVER if settings.first_party and kind is not ClientKind.NATIVE else ConsentRule.REMEMBER


def normalise(attribute: Attribute, value: Any) -> object:  # noqa: ANN401 - as its form says
    """`value` as it is stored: each word once, each text in a language."""
    match attribute.form:
        case Words() | ScopeWords():
            return tuple(dict.fromkeys(value))
        case ScopeTable():
            return read_scope_texts(value)
        case ClaimTable():
            return dict(value)
        case Line() | Switch() | Choice() | Name() | Length() | Address() | CalledAddress() | KeySet():
            return value
        case _ as never:
            assert_never(never)


def find_errors(settings: ClientSettings, kind: ClientKind) -> Iterator[FieldError]:
    """Find all errors of a client of this kind that need no look at the installation."""
    for name, attribute in ATTRIBUTES.items():
        yield from _find_value_errors(name, attribute, settings.of(name), kind)
    yield from _find_kind_errors(settings, kind)
    yield from _find_consent_errors(settings, kind)
    yield from _find_openid_errors(settings, kind)


def _find_value_errors(  # noqa: PLR0911 - one line for each form
    name: str,
    attribute: Attribute,
    value: Any,  # noqa: ANN401 - as its form says
    kind: ClientKind,
) -> Iterator[FieldError]:
    match attribute.form:
        case Line(longest):
            return _find_line_errors(name, value, longest)
        case Words(find_fault):
            return _find_word_errors(attribute.each or name, value, lambda word: find_fault(word, kind))
        case Address():
            return _find_word_errors(name, () if value is None else (value,), find_address_fault)
        case ScopeWords():
            return _find_scope_errors(name, value)
        case ScopeTable():
            return _find_table_errors(name, value)
        case ClaimTable():
            return _find_claim_errors(name, value)
        case Name(of):
            return _find_word_errors(
                name, () if value is None else (value,), lambda one: None if one in of else "is not supported"
            )
        case Switch() | Choice() | Length() | CalledAddress() | KeySet():
            return iter(())
        case _ as never:
            assert_never(never)


def _find_word_errors(
    name: str, words: tuple[str, ...], find_fault: Callable[[str], str | None]
) -> Iterator[FieldError]:
    for word in words:
        fault = find_fault(word)
        if fault is not None:
            yield FieldError(name, f"invalid_{name}", f"{word!r} {fault}.")


def is_scope_token(text: str) -> bool:
    """Whether `text` is one scope (RFC 6749 §3.3)."""
    return _SCOPE_TOKEN.match(text) is not None


def _find_scope_errors(name: str, scope: tuple[str, ...]) -> Iterator[FieldError]:
    if not all(map(is_scope_token, scope)):
        yield FieldError(name, f"invalid_{name}", "A scope must not contain spaces, quotes or backslashes.")


def _find_table_errors(name: str, table: object) -> Iterator[FieldError]:
    try:
        read_scope_texts(table)
    except ValueError as fault:
        yield FieldError(name, f"invalid_{name}", f"They {fault}.")


def _find_claim_errors(name: str, table: Mapping[str, str]) -> Iterator[FieldError]:
    if len(table) > MOST_NAMES:
        yield FieldError(name, f"invalid_{name}", f"A client has at most {MOST_NAMES} claims of its own.")
    for claim, source in table.items():
        fault = find_name_fault(claim, source)
        if fault is not None:
            yield FieldError(name, f"invalid_{name}", f"{claim!r} {fault}.")


def _find_line_errors(name: str, line: str, longest: int) -> Iterator[FieldError]:
    words = name.replace("_", " ")
    if len(line) > longest:
        yield FieldError(name, f"{name}_too_long", f"A {words} has at most {longest} characters.")
    elif not line.strip() or not is_line(line, longest):
        yield FieldError(name, f"invalid_{name}", f"A client needs a printable {words}.")


def _find_kind_errors(settings: ClientSettings, kind: ClientKind) -> Iterator[FieldError]:
    if kind not in _REDIRECTING and (settings.redirect_uris or settings.post_logout_redirect_uris):
        words = kind.value.replace("-", " ")
        yield FieldError("redirect_uri", "invalid_combination", f"A {words} client has no redirect URIs.")
    if settings.backchannel_logout_uri is not None and "refresh_token" not in kind.grant_types:
        words = kind.value.replace("-", " ")
        yield FieldError("backchannel_logout_uri", "invalid_combination", f"A {words} client signs nobody in.")
    if settings.first_party and kind is ClientKind.RESOURCE_SERVER:
        yield FieldError("first_party", "invalid_combination", "A resource server signs nobody in.")


def _find_consent_errors(settings: ClientSettings, kind: ClientKind) -> Iterator[FieldError]:
    if settings.consent is not ConsentRule.NEVER:
        return
    if not settings.first_party:
        yield FieldError("consent", "invalid_consent", "Only a first-party client may skip consent.")
    elif kind is ClientKind.NATIVE:
        # RFC 8252 §8.6: another program may pass for a native client.
        yield FieldError("consent", "invalid_consent", "Users of a native client are always asked.")


def _find_openid_errors(settings: ClientSettings, kind: ClientKind) -> Iterator[FieldError]:
    if settings.pkce is not PkceRule.REQUIRED and kind is not ClientKind.CONFIDENTIAL:
        # OAuth 2.1 §7.5.1: without a secret, PKCE is all that binds a code to its client.
        yield FieldError("pkce", "invalid_combination", "Only a confidential client may go without PKCE.")
    if settings.pairwise and settings.first_party:
        # The account API tells it the user's own id.
        yield FieldError("pairwise", "invalid_combination", "A first-party client cannot be pairwise.")
