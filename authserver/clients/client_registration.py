"""The registration of a client by an operator, and its check."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from authserver.clients.machine_rules import find_machine_errors
from authserver.outbound import Outbound
from authserver.protocol.client_metadata import ClientKind, ConsentRule
from authserver.protocol.limits import REST_MARGIN, SECOND, SHORTEST_LIFETIME
from authserver.realm import Realm
from authserver.records import client_rules
from authserver.records.client import Client
from authserver.records.client_attribute import CalledAddress
from authserver.records.client_document import DESCRIBED
from authserver.records.client_settings import ATTRIBUTES, ClientSettings
from authserver.records.credential_rules import find_credential_errors
from authserver.records.field_error import FieldError
from authserver.records.provenance import BY_OPERATOR, ByDocument, ByItself, ByOperator, Provenance
from authserver.sessions.lifetimes import Lifetimes, longest_silence
from authserver.sessions.scope import ADMIN_SCOPE

ClientChanges = Mapping[str, Any]
"""Attribute (a name of `ATTRIBUTES`) → its new value, in its form. Id and kind are no attributes and cannot change."""


@dataclass(frozen=True, slots=True)
class ClientRegistration(ClientSettings):
    """A client as an operator asks for it, before its check.

    Attributes:
        client_id: None lets the server choose (RFC 9700 §4.15).
        provenance: who describes it.
    """

    kind: ClientKind
    client_id: str | None = None
    provenance: Provenance = BY_OPERATOR


def apply_changes(client: Client, changes: ClientChanges) -> ClientRegistration:
    """The present client, with `changes` applied.

    Raises:
        ValueError: a change is of something that is not an attribute.
    """
    unknown = changes.keys() - ATTRIBUTES.keys()
    if unknown:
        raise ValueError(f"these are not attributes of a client: {sorted(unknown)}")
    present = {name: client.of(name) for name in ATTRIBUTES}
    return ClientRegistration(
        kind=client.kind, client_id=client.client_id, provenance=client.provenance, **{**present, **changes}
    )


def find_fixed(client: Client, changes: ClientChanges) -> Iterator[FieldError]:
    """Find what an operator cannot change for one client by URL."""
    fixed = DESCRIBED | {"audience"} if isinstance(client.provenance, ByDocument) else frozenset[str]()
    for name in sorted(changes.keys() & fixed):
        message = "The document of the client sets it, and the settings for all clients by URL limit it."
        yield FieldError(name, "set_by_document", message)


def find_errors(registration: ClientRegistration, realm: Realm) -> Iterator[FieldError]:
    """Find all errors of `registration` in this installation."""
    yield from client_rules.find_errors(registration, registration.kind)
    yield from find_credential_errors(registration, registration.kind)
    yield from find_machine_errors(registration, registration.kind)
    yield from _find_called_errors(registration, realm.outbound)
    yield from _find_key_errors(registration, realm)
    yield from _find_trust_errors(registration)
    yield from _find_time_errors(registration, realm.lifetimes)


def _find_called_errors(registration: ClientRegistration, outbound: Outbound) -> Iterator[FieldError]:
    for name, attribute in ATTRIBUTES.items():
        url = registration.of(name)
        if isinstance(attribute.form, CalledAddress) and isinstance(url, str):
            try:
                outbound.check_url(url)
            except ValueError as fault:
                yield FieldError(name, f"invalid_{name}", f"{url!r} {fault}.")


def find_change_errors(registration: ClientRegistration, client: Client) -> Iterator[FieldError]:
    """Find what cannot change while `client` holds tokens."""
    if registration.pairwise != client.pairwise and client.is_enabled:
        # The feed names users by the present salt: with another one, it would not reach the tokens that are out.
        message = "It can change only while the client is disabled. Run: authserver clients disable, update, enable"
        yield FieldError("pairwise", "invalid_combination", message)


def _find_key_errors(registration: ClientRegistration, realm: Realm) -> Iterator[FieldError]:
    alg = registration.id_token_signed_response_alg
    if alg is not None and realm.keyring.current.find_client_key(alg) is None:
        message = f"No key signs {alg!r}. Run: authserver keys stage --id-tokens {alg}"
        yield FieldError("id_token_signed_response_alg", "no_such_key", message)


def _find_trust_errors(registration: ClientRegistration) -> Iterator[FieldError]:
    """What no client has that describes itself, whoever sets it: the next description could come from anybody."""
    if isinstance(registration.provenance, ByOperator):
        return
    if registration.first_party:
        yield FieldError("first_party", "not_trusted", "A client that describes itself is never first-party.")
    if ADMIN_SCOPE in registration.scope:
        yield FieldError("scope", "not_trusted", f"A client that describes itself never has the scope {ADMIN_SCOPE}.")
    if isinstance(registration.provenance, ByItself) and registration.consent is not ConsentRule.ALWAYS:
        yield FieldError("consent", "not_trusted", "Users of a client that registered itself are always asked.")


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


def _seconds(length: timedelta) -> int:
    return length // SECOND
