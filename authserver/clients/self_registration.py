"""Clients that register and manage themselves (RFC 7591, RFC 7592).

The initial access token says what they may have at most; the metadata that they send only narrows it. Their users are
always asked. What an operator has set for such a client (origins, lifetimes, windows) survives its own updates.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from authserver.clients.client_registration import ClientRegistration, apply_changes, find_errors
from authserver.clients.client_secret import create_secret, digest_secret
from authserver.clients.client_standing import delete_client
from authserver.clients.register_client import RegisteredClient, add_client, fulfil, make_client, record_client
from authserver.clients.registration_tokens import create_token, digest_token
from authserver.protocol.audit_name import AuditName
from authserver.protocol.client_metadata import ConsentRule
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.secret import Secret
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.realm.outcomes import Invalid, Refused
from authserver.records.audit import Actor
from authserver.records.client import Client, FormerSecret
from authserver.records.client_metadata import (
    FOR_REGISTRATION,
    SETTABLE,
    ClientMetadata,
    defaults_of,
    find_problem,
    read_metadata,
)
from authserver.records.client_settings import ATTRIBUTES, ClientSettings
from authserver.records.credential_rules import has_secret
from authserver.records.provenance import ByItself
from authserver.storage import Transaction, clients, registration_tokens

SECRET_OVERLAP: Final = timedelta(hours=1)
"""How long the former secret works after an update that replaced it: the answer with the new one may be lost."""

_NOT_SENT: Final = (
    "registration_access_token",
    "registration_client_uri",
    "client_id_issued_at",
    "client_secret_expires_at",
)
"""Members of our answers that an update must not repeat (RFC 7592 §2.2)."""


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """The token is not valid for this: 401 `invalid_token`. `reason` is only for the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The client may not manage its registration, because an operator has disabled it: 403."""


@dataclass(frozen=True, slots=True)
class Managed:
    """A client as its own answers describe it.

    Attributes:
        secret: set where the client gets one by this answer; the server does not keep it.
        management_token: manages the registration (RFC 7592: registration access token).
    """

    client: Client
    secret: Secret | None
    management_token: Secret


def register_itself(
    realm: Realm, token: Secret, members: Mapping[str, object], *, ip: str
) -> Managed | OAuthError | TokenRefused:
    """Register the client that `members` describe. A refusal uses up nothing of the token."""
    now = realm.clock.now()
    with realm.database.read() as tx:
        offered = registration_tokens.find_usable(tx, digest_token(token), now)
    if offered is None:
        return TokenRefused("unknown, used up, ended or expired initial access token")
    metadata = read_metadata(members, FOR_REGISTRATION)
    if isinstance(metadata, OAuthError):
        return metadata
    management_token = create_token("rm_", realm.entropy)
    provenance = ByItself(digest_token(management_token), offered.scope)
    settings = _limit(metadata, provenance)
    if isinstance(settings, OAuthError):
        return settings
    of_operator: dict[str, Any] = {"audience": offered.audience, "consent": ConsentRule.ALWAYS}
    registration = ClientRegistration(kind=metadata.kind, provenance=provenance, **settings, **of_operator)
    made = make_client(realm, registration)
    if isinstance(made, Invalid):
        return _refuse(made)
    with realm.database.write() as tx:
        if not registration_tokens.use(tx, offered.token_id, now):
            return TokenRefused("initial access token used up meanwhile")
        by = Actor(f"client:{made.client.client_id}", ip)
        if not add_client(tx, realm, made.client, by, registration_token=offered.token_id):
            raise RuntimeError("a random client id is taken")
    return Managed(made.client, made.secret, management_token)


def read_itself(realm: Realm, client_id: str, token: Secret) -> Managed | TokenRefused | NotAllowed:
    """What a client is registered with (RFC 7592 §2.1)."""
    with realm.database.read() as tx:
        found = clients.find(tx, client_id) if is_storable(client_id) else None
    client = _authorize(found, token)
    return Managed(client, None, token) if isinstance(client, Client) else client


def update_itself(
    realm: Realm, client_id: str, token: Secret, members: Mapping[str, object], *, ip: str
) -> Managed | OAuthError | TokenRefused | NotAllowed:
    """Replace what a client is registered with (RFC 7592 §2.2).

    An update without `client_secret` asks for a new one; the former one works for `SECRET_OVERLAP` more.
    """
    with realm.database.write() as tx:
        client = _authorize(clients.find_for_update(tx, client_id) if is_storable(client_id) else None, token)
        if not isinstance(client, Client):
            return client
        registration = _read_update(client, members)
        if isinstance(registration, OAuthError):
            return registration
        errors = tuple(find_errors(registration, realm))
        if errors:
            return _refuse(Invalid(errors))
        by = Actor(f"client:{client_id}", ip)
        changed = fulfil(registration, client, realm.entropy)
        if changed != client:
            clients.change(tx, changed)
            if changed.secret_digest != client.secret_digest:
                clients.write_secrets(tx, client_id, changed.secret_digest, changed.former_secret)
            names = [name for name in ATTRIBUTES if changed.of(name) != client.of(name)]
            record_client(tx, realm, AuditName.CLIENT_UPDATED, client, by, {"changed": " ".join(sorted(names))})
        replaced = RegisteredClient(changed, None)
        if has_secret(changed, changed.kind) and (changed.secret_digest is None or "client_secret" not in members):
            replaced = _replace_secret(tx, realm, changed, by)
    return Managed(replaced.client, replaced.secret, token)


def delete_itself(realm: Realm, client_id: str, token: Secret, *, ip: str) -> TokenRefused | NotAllowed | None:
    """Disable the client, which ends all that it holds, and remove it (RFC 7592 §2.3)."""
    found = read_itself(realm, client_id, token)
    if not isinstance(found, Managed):
        return found
    refused = delete_client(realm, client_id, by=Actor(f"client:{client_id}", ip))
    return TokenRefused("deleted or enabled meanwhile") if isinstance(refused, Refused) else None


def _authorize(client: Client | None, token: Secret) -> Client | TokenRefused | NotAllowed:
    if client is None or not isinstance(client.provenance, ByItself):
        return TokenRefused("no client that registered itself")
    if not hmac.compare_digest(client.provenance.management_digest, digest_token(token)):
        return TokenRefused("wrong management token")
    return client if client.is_enabled else NotAllowed()


def _limit(metadata: ClientMetadata, provenance: ByItself) -> dict[str, Any] | OAuthError:
    """The attributes that the client gets; of the scopes that it asks for, those that its initial token allows."""
    asked = metadata.settings.get("scope", provenance.scope_limit)
    scope = tuple(token for token in asked if token in provenance.scope_limit)
    if asked and not scope:
        return OAuthError("invalid_client_metadata", "The client may have none of these scopes.", "scope")
    return {**metadata.settings, "scope": scope, "offline_access": metadata.refreshes}


def _read_update(client: Client, members: Mapping[str, object]) -> ClientRegistration | OAuthError:
    provenance = client.provenance
    if not isinstance(provenance, ByItself):
        raise TypeError("only a client that registered itself updates itself")
    if members.get("client_id") != client.client_id or any(name in members for name in _NOT_SENT):
        sentence = "client_id must be that of the client, and what only the server says must be left out."
        return OAuthError("invalid_client_metadata", sentence, "client_id")
    if not _holds_secret(client, members.get("client_secret")):
        return OAuthError("invalid_client_metadata", "client_secret must be the present one, or be left out.", "secret")
    metadata = read_metadata(members, defaults_of(client))
    if isinstance(metadata, OAuthError):
        return metadata
    if metadata.kind is not client.kind:
        sentence = "token_endpoint_auth_method and application_type must stay as they were registered."
        return OAuthError("invalid_client_metadata", sentence, metadata.kind.value)
    settings = _limit(metadata, provenance)
    return settings if isinstance(settings, OAuthError) else apply_changes(client, {**_clear(), **settings})


def _clear() -> dict[str, Any]:
    """What an update leaves out, it removes (RFC 7592 §2.2)."""
    blank = ClientSettings("")
    return {name: blank.of(name) for name in SETTABLE}


def _holds_secret(client: Client, shown: object) -> bool:
    if shown is None:
        return True
    is_text = isinstance(shown, str) and client.secret_digest is not None
    return is_text and hmac.compare_digest(digest_secret(Secret(str(shown))), client.secret_digest or b"")


def _replace_secret(tx: Transaction, realm: Realm, client: Client, by: Actor) -> RegisteredClient:
    secret, now, former = create_secret(realm.entropy), realm.clock.now(), client.former_secret
    present = client.secret_digest
    if present is not None and (former is None or now >= former.expires_at):
        # Otherwise the present secret is one whose answer was lost a moment ago, and the former one is in use.
        former = FormerSecret(present, now + SECRET_OVERLAP)
    clients.write_secrets(tx, client.client_id, digest_secret(secret), former)
    detail = {"former_until": None if former is None else former.expires_at.isoformat()}
    record_client(tx, realm, AuditName.CLIENT_SECRET_ROTATED, client, by, detail)
    return RegisteredClient(replace(client, secret_digest=digest_secret(secret), former_secret=former), secret)


def _refuse(invalid: Invalid) -> OAuthError:
    problem = find_problem(invalid.errors)
    return problem or OAuthError("invalid_client_metadata", "The metadata is not valid.", "")
