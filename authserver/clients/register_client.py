"""Registers OAuth clients, changes them, and replaces their secrets."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from authserver.clients.client_registration import (
    ClientChanges,
    ClientRegistration,
    apply_changes,
    find_change_errors,
    find_errors,
    find_fixed,
)
from authserver.clients.client_secret import create_secret, digest_secret
from authserver.protocol.audit_name import AuditName
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.entropy import Entropy, new_id
from authserver.protocol.secret import Secret
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.realm.outcomes import CLIENT_ID_TAKEN, NOT_FOUND, Invalid, Refused
from authserver.records.audit import SERVER, Actor, Detail
from authserver.records.client import Client, FormerSecret
from authserver.records.client_rules import choose_consent, normalise
from authserver.records.client_settings import ATTRIBUTES
from authserver.records.credential_rules import choose_auth_method, has_secret
from authserver.storage import Transaction, audit, clients

__all__ = [
    "FIRST_PARTY_CLIENT_ID",
    "LONGEST_OVERLAP",
    "ClientRegistration",
    "RegisteredClient",
    "end_former_secret",
    "register_client",
    "rotate_secret",
    "update_client",
]

FIRST_PARTY_CLIENT_ID = "first-party"
NO_SECRET = "no_secret"  # noqa: S105 - a code
NO_FORMER_SECRET = "no_former_secret"  # noqa: S105 - a code
TWO_SECRETS = "two_secrets"
LONGEST_OVERLAP = timedelta(days=90)
_SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """The client and its secret, which is shown only once; None where it does not authenticate by one."""

    client: Client
    secret: Secret | None


def register_client(
    realm: Realm, registration: ClientRegistration, *, by: Actor = SERVER
) -> RegisteredClient | Invalid | Refused:
    """Register a client. An existing client with the id in `registration` stays unchanged."""
    made = make_client(realm, registration)
    if isinstance(made, Invalid):
        return made
    with realm.database.write() as tx:
        if not add_client(tx, realm, made.client, by):
            return Refused(CLIENT_ID_TAKEN, f"The client {made.client.client_id!r} already exists.")
    return made


def make_client(realm: Realm, registration: ClientRegistration) -> RegisteredClient | Invalid:
    """Make the client that `registration` describes, with a secret if it gets one. Nothing is stored."""
    errors = tuple(find_errors(registration, realm))
    if errors:
        return Invalid(errors)
    secret = create_secret(realm.entropy) if has_secret(registration, registration.kind) else None
    blank = Client(
        client_id=registration.client_id or new_id(realm.entropy),
        name=registration.name,
        kind=registration.kind,
        secret_digest=None if secret is None else digest_secret(secret),
        family_version=1,
        created_at=realm.clock.now(),
        disabled_at=None,
        provenance=registration.provenance,
    )
    return RegisteredClient(fulfil(registration, blank, realm.entropy), secret)


def add_client(
    tx: Transaction, realm: Realm, client: Client, by: Actor, *, registration_token: str | None = None
) -> bool:
    """Store a client and record it, with the id of the initial access token if there was one; False if taken."""
    if not clients.add(tx, client):
        return False
    detail = {
        "kind": client.kind.value,
        "provenance": client.provenance.name,
        "first_party": client.first_party,
        "scope": " ".join(client.scope),
        "registration_token": registration_token,
    }
    record_client(tx, realm, AuditName.CLIENT_CREATED, client, by, detail)
    return True


def update_client(
    realm: Realm, client_id: str, changes: ClientChanges, *, by: Actor = SERVER
) -> Client | Invalid | Refused:
    """Change a registered client.

    Grants stay unchanged: new tokens lack what the client loses, and contain it again when the client regains it. To
    end the tokens that the client holds, disable it.
    """
    with realm.database.write() as tx:
        client = find_to_change(tx, client_id)
        if isinstance(client, Refused):
            return client
        registration = apply_changes(client, changes)
        changing = (*find_fixed(client, changes), *find_change_errors(registration, client))
        errors = (*find_errors(registration, realm), *changing)
        if errors:
            return Invalid(errors)
        changed = fulfil(registration, client, realm.entropy)
        if changed != client:
            clients.change(tx, changed)
            if changed.secret_digest != client.secret_digest:
                clients.write_secrets(tx, client_id, changed.secret_digest, changed.former_secret)
            record_client(tx, realm, AuditName.CLIENT_UPDATED, client, by, {"changed": " ".join(sorted(changes))})
    return changed


def rotate_secret(
    realm: Realm,
    client_id: str,
    *,
    overlap: timedelta = timedelta(),
    keep_former: bool = False,
    by: Actor = SERVER,
) -> RegisteredClient | Refused:
    """Give the client a new secret, and accept the old one for `overlap`, at most `LONGEST_OVERLAP`.

    Without an overlap, the old secret and an earlier former secret are refused at once (or seconds later by a server
    that remembers the client). An overlap during another overlap is refused: two secrets are valid, and it is unknown
    which of them is in use. With `keep_former` only the current secret is replaced, for the case that nobody has seen
    it.
    """
    secret, now = create_secret(realm.entropy), realm.clock.now()
    with realm.database.write() as tx:
        client = find_to_change(tx, client_id)
        if isinstance(client, Refused):
            return client
        if not has_secret(client, client.kind):
            return Refused(NO_SECRET, f"The client {client_id!r} has no secret: it does not authenticate by one.")
        former = client.former_secret if keep_former else None
        if overlap and client.secret_digest is not None:
            if client.former_secret is not None and now < client.former_secret.expires_at:
                return Refused(
                    TWO_SECRETS, f"The client {client_id!r} already has two valid secrets; run end-former-secret first."
                )
            former = FormerSecret(client.secret_digest, now + min(overlap, LONGEST_OVERLAP))
        rotated = replace(client, secret_digest=digest_secret(secret), former_secret=former)
        clients.write_secrets(tx, client_id, digest_secret(secret), former)
        detail = {"former_until": None if former is None else former.expires_at.isoformat()}
        record_client(tx, realm, AuditName.CLIENT_SECRET_ROTATED, client, by, detail)
    return RegisteredClient(rotated, secret)


def end_former_secret(realm: Realm, client_id: str, *, by: Actor = SERVER) -> Client | Refused:
    """End the former secret early, because every copy of it has been replaced, or because one has leaked."""
    with realm.database.write() as tx:
        client = find_to_change(tx, client_id)
        if isinstance(client, Refused):
            return client
        if client.secret_digest is None or client.former_secret is None:
            return Refused(NO_FORMER_SECRET, f"The client {client_id!r} has no former secret.")
        clients.write_secrets(tx, client_id, client.secret_digest, None)
        record_client(tx, realm, AuditName.CLIENT_SECRET_ENDED, client, by, {})
    return replace(client, former_secret=None)


def find_to_change(tx: Transaction, client_id: str) -> Client | Refused:
    """Find the client and lock its row until this transaction ends."""
    client = clients.find_for_update(tx, client_id) if is_storable(client_id) else None
    return client or Refused(NOT_FOUND, f"There is no client {client_id!r}.")


def fulfil(registration: ClientRegistration, client: Client, entropy: Entropy) -> Client:
    """Apply `registration` to `client`. An existing salt stays, or its users would get new names."""
    settings: dict[str, Any] = {
        name: normalise(attribute, registration.of(name)) for name, attribute in ATTRIBUTES.items()
    }
    settings["consent"] = choose_consent(registration, registration.kind)
    settings["auth_method"] = choose_auth_method(registration)
    settings["client_credentials"] = registration.client_credentials or registration.kind is ClientKind.SERVICE
    if not has_secret(registration, registration.kind):
        # A client that changes to keys of its own loses its secrets, or a later change back would revive them.
        settings |= {"secret_digest": None, "former_secret": None}
    salt = client.pairwise_salt or entropy(_SALT_BYTES) if registration.pairwise else None
    return replace(client, **settings, pairwise_salt=salt)


def record_client(tx: Transaction, realm: Realm, name: AuditName, client: Client, by: Actor, detail: Detail) -> None:
    """Write the audit record of something that was done to `client`."""
    audit.write(
        tx,
        name,
        by=by,
        now=realm.clock.now(),
        entropy=realm.entropy,
        client_id=client.client_id,
        detail=detail,
    )
