"""The registration of a client by an operator, and its check."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypedDict
from urllib.parse import urlsplit

from authserver.protocol.client_metadata import ClientKind, ConsentRule
from authserver.protocol.limits import REST_MARGIN
from authserver.protocol.redirect_uri import find_address_fault, find_fault, find_origin_fault
from authserver.protocol.text import is_line
from authserver.realm import Realm
from authserver.realm.outcomes import FieldError
from authserver.records.client import Client
from authserver.records.scope_texts import ScopeTexts, read_scope_texts
from authserver.sessions.lifetimes import Lifetimes, longest_silence

NAME_LENGTH = 200
SHORTEST_LIFETIME = timedelta(minutes=1)
"""The shortest lifetime of access and refresh tokens, as in the settings of the installation."""

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+\Z")  # RFC 6749 §3.3
_REDIRECTING = frozenset({ClientKind.PUBLIC, ClientKind.CONFIDENTIAL, ClientKind.NATIVE})


@dataclass(frozen=True, slots=True)
class ClientRegistration:
    """A client as an operator asks for it, before its check.

    Attributes:
        client_id: None lets the server choose (RFC 9700 §4.15).
        consent: None is `NEVER` for a first-party client whose identity is certain, `REMEMBER` for every other client.
        pairwise: whether ID tokens and userinfo name users by ids that no other client sees.
        retry_window, late_retry_window: override those of the installation, where they are set.
        logo_uri, client_uri, policy_uri, tos_uri: shown on the consent page (RFC 7591 §2).
        scope_texts: the descriptions of scopes on the consent page; they precede those of the installation.
    """

    name: str
    kind: ClientKind
    client_id: str | None = None
    first_party: bool = False
    scope: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    consent: ConsentRule | None = None
    offline_access: bool = False
    pairwise: bool = False
    access_token_lifetime: timedelta | None = None
    refresh_idle_lifetime: timedelta | None = None
    refresh_absolute_lifetime: timedelta | None = None
    retry_window: timedelta | None = None
    late_retry_window: timedelta | None = None
    logo_uri: str | None = None
    client_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    scope_texts: ScopeTexts = field(default_factory=dict)

    @property
    def consent_in_force(self) -> ConsentRule:
        """The consent rule: the requested one, or the default."""
        if self.consent is not None:
            return self.consent
        return ConsentRule.NEVER if self.first_party and self.kind is not ClientKind.NATIVE else ConsentRule.REMEMBER


class ClientChanges(TypedDict, total=False):
    """The members of a client to change; lists are replaced as a whole. Id and kind cannot change."""

    name: str
    first_party: bool
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    origins: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    consent: ConsentRule
    offline_access: bool
    pairwise: bool
    access_token_lifetime: timedelta | None
    refresh_idle_lifetime: timedelta | None
    refresh_absolute_lifetime: timedelta | None
    retry_window: timedelta | None
    late_retry_window: timedelta | None
    logo_uri: str | None
    client_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    scope_texts: ScopeTexts


def wish_for(client: Client, changes: ClientChanges) -> ClientRegistration:
    """The present client, with `changes` applied."""
    as_it_is = ClientRegistration(
        name=client.name,
        kind=client.kind,
        client_id=client.client_id,
        first_party=client.first_party,
        scope=client.scope,
        audience=client.audience,
        redirect_uris=client.redirect_uris,
        origins=client.origins,
        post_logout_redirect_uris=client.post_logout_redirect_uris,
        consent=client.consent,
        offline_access=client.offline_access,
        pairwise=client.pairwise_salt is not None,
        access_token_lifetime=client.access_token_lifetime,
        refresh_idle_lifetime=client.refresh_idle_lifetime,
        refresh_absolute_lifetime=client.refresh_absolute_lifetime,
        retry_window=client.retry_window,
        late_retry_window=client.late_retry_window,
        logo_uri=client.logo_uri,
        client_uri=client.client_uri,
        policy_uri=client.policy_uri,
        tos_uri=client.tos_uri,
        scope_texts=client.scope_texts,
    )
    return replace(as_it_is, **changes)


def find_errors(registration: ClientRegistration, realm: Realm) -> Iterator[FieldError]:
    """Find all errors of `registration` in this installation."""
    if len(registration.name) > NAME_LENGTH:
        yield FieldError("name", "name_too_long", f"A name has at most {NAME_LENGTH} characters.")
    elif not registration.name.strip() or not is_line(registration.name, NAME_LENGTH):
        yield FieldError("name", "invalid_name", "A client needs a printable name.")
    if not all(map(_SCOPE_TOKEN.match, registration.scope)):
        yield FieldError("scope", "invalid_scope", "A scope must not contain spaces, quotes or backslashes.")
    for audience in registration.audience:
        if not _is_resource(audience):
            yield FieldError("audience", "invalid_audience", f"{audience!r} is not an absolute URI (RFC 8707 §2).")
    yield from _find_uri_errors(registration)
    yield from _find_shown_errors(registration)
    yield from _find_standing_errors(registration)
    yield from _find_time_errors(registration, realm.lifetimes)


def _find_uri_errors(registration: ClientRegistration) -> Iterator[FieldError]:
    checks: tuple[tuple[str, tuple[str, ...], Callable[[str], str | None]], ...] = (
        ("redirect_uri", registration.redirect_uris, lambda uri: find_fault(uri, registration.kind)),
        (
            "post_logout_redirect_uri",
            registration.post_logout_redirect_uris,
            lambda uri: find_fault(uri, registration.kind),
        ),
        ("origin", registration.origins, find_origin_fault),
    )
    for name, values, find in checks:
        for value in values:
            fault = find(value)
            if fault is not None:
                yield FieldError(name, f"invalid_{name}", f"{value!r} {fault}.")
    if registration.kind not in _REDIRECTING and (registration.redirect_uris or registration.post_logout_redirect_uris):
        yield FieldError(
            "redirect_uri",
            "invalid_combination",
            f"A {registration.kind.value.replace('-', ' ')} client has no redirect URIs.",
        )


def _find_shown_errors(registration: ClientRegistration) -> Iterator[FieldError]:
    for name in ("logo_uri", "client_uri", "policy_uri", "tos_uri"):
        uri = getattr(registration, name)
        fault = None if uri is None else find_address_fault(uri)
        if fault is not None:
            yield FieldError(name, f"invalid_{name}", f"{uri!r} {fault}.")
    try:
        read_scope_texts(registration.scope_texts)
    except ValueError as fault:
        yield FieldError("scope_texts", "invalid_scope_texts", f"They {fault}.")


def _find_standing_errors(registration: ClientRegistration) -> Iterator[FieldError]:
    if registration.first_party and registration.kind is ClientKind.RESOURCE_SERVER:
        yield FieldError("first_party", "invalid_combination", "A resource server signs nobody in.")
    if registration.consent is ConsentRule.NEVER:
        if not registration.first_party:
            yield FieldError("consent", "invalid_consent", "Only a first-party client may skip consent.")
        elif registration.kind is ClientKind.NATIVE:
            # RFC 8252 §8.6: another program may pass for a native client.
            yield FieldError("consent", "invalid_consent", "Users of a native client are always asked.")


def _find_time_errors(registration: ClientRegistration, installation: Lifetimes) -> Iterator[FieldError]:
    in_bounds = True
    for name in ("access_token_lifetime", "refresh_idle_lifetime", "refresh_absolute_lifetime"):
        own, longest = getattr(registration, name), getattr(installation, name)
        if own is not None and not min(SHORTEST_LIFETIME, longest) <= own <= longest:
            # Above this limit, a token would outlive the feed window or its key (`Lifetimes.of_client`).
            in_bounds, least, most = False, _seconds(SHORTEST_LIFETIME), _seconds(longest)
            yield FieldError(
                name, "invalid_lifetime", f"It must be {least} to {most} seconds, at most the installation's value."
            )
    in_force = installation.of_client(registration)
    idle = in_force.refresh_idle_lifetime
    if registration.refresh_absolute_lifetime is not None and registration.refresh_absolute_lifetime < idle:
        yield FieldError(
            "refresh_absolute_lifetime",
            "invalid_lifetime",
            f"It must not be below the idle lifetime, {_seconds(idle)}.",
        )
    if in_bounds:
        yield from _find_rest_errors(registration, in_force)
    # MAC keys are kept as long as a token of the installation can be presented.
    kept = installation.refresh_idle_lifetime + installation.retry_windows.late_retry_window
    own, longest = registration.late_retry_window, min(idle, kept - idle)
    if own is not None and not timedelta(0) <= own <= longest:
        yield FieldError("late_retry_window", "invalid_window", f"It must be 0 to {_seconds(longest)} seconds.")


def _find_rest_errors(registration: ClientRegistration, in_force: Lifetimes) -> Iterator[FieldError]:
    """Compare the retry window in force (the client's or the installation's) with the idle lifetime in force."""
    installations = in_force.retry_windows.retry_window if registration.retry_window is None else timedelta(0)
    least = longest_silence(installations, in_force.access_token_lifetime)
    idle, margin = in_force.refresh_idle_lifetime, _seconds(REST_MARGIN)
    why = f"the retry window, {margin} seconds and the access-token lifetime together fit into the idle lifetime"
    if idle < least:
        yield FieldError(
            "refresh_idle_lifetime",
            "invalid_lifetime",
            f"It must be at least {_seconds(least)} seconds, so that {why}.",
        )
    elif registration.retry_window is not None and not timedelta(0) <= registration.retry_window <= idle - least:
        yield FieldError(
            "retry_window", "invalid_window", f"It must be 0 to {_seconds(idle - least)} seconds, so that {why}."
        )


def _is_resource(uri: str) -> bool:
    """Whether `uri` may name a resource. It must not contain a space, because stored lists are separated by spaces."""
    if not uri.isascii() or not uri.isprintable() or " " in uri or "#" in uri:
        return False
    try:
        return bool(urlsplit(uri).scheme)
    except ValueError:
        return False


def _seconds(length: timedelta) -> int:
    return length // timedelta(seconds=1)
