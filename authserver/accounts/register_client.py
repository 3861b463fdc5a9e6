"""Registering OAuth clients, and switching them off and on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from authserver.accounts.outcomes import CLIENT_ID_TAKEN, NOT_FOUND, FieldError, Invalid, Refused
from authserver.clients.authentication import create_secret, digest_secret
from authserver.credentials.events import ClientDisabled
from authserver.protocol.audit_name import AuditName
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.entropy import new_id
from authserver.protocol.secret import Secret
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.revocation import Receipt
from authserver.storage import Transaction, audit, clients
from authserver.storage.audit import SERVER, Actor
from authserver.storage.clients import Client

FIRST_PARTY_CLIENT_ID = "first-party"
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+\Z")  # RFC 6749 §3.3


@dataclass(frozen=True, slots=True)
class ClientWish:
    """What an operator asks for. `client_id` None lets the server choose (RFC 9700 §4.15)."""

    name: str
    kind: ClientKind
    client_id: str | None = None
    first_party: bool = False
    scope: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """The client, and its secret for this one time; None for a public client."""

    client: Client
    secret: Secret | None


def register_client(realm: Realm, wish: ClientWish, *, by: Actor = SERVER) -> RegisteredClient | Invalid | Refused:
    """Register a client; one that is there already under the id that `wish` names stays as it is."""
    errors = tuple(_find_errors(wish))
    if errors:
        return Invalid(errors)
    secret = None if wish.kind.is_public else create_secret(realm.entropy)
    client = Client(
        client_id=wish.client_id or new_id(realm.entropy),
        name=wish.name,
        kind=wish.kind,
        secret_digest=None if secret is None else digest_secret(secret),
        first_party=wish.first_party,
        scope=wish.scope,
        audience=wish.audience,
        redirect_uris=wish.redirect_uris,
        origins=wish.origins,
        retry_window=None,
        late_retry_window=None,
        family_version=1,
        created_at=realm.clock.now(),
        disabled_at=None,
    )
    with realm.database.write() as tx:
        if not clients.add(tx, client):
            return Refused(CLIENT_ID_TAKEN, f"There is a client {client.client_id!r} already.")
        _record_created(tx, realm, client, by)
    return RegisteredClient(client, secret)


def disable_client(realm: Realm, client_id: str, by: Actor) -> Receipt | Refused:
    """Switch the client off at once; what it holds stays dead when it is switched on again."""
    with realm.database.write() as tx:
        if not _exists(tx, client_id):
            return Refused(NOT_FOUND, f"There is no client {client_id!r}.")
        return realm.revocation.apply(tx, ClientDisabled(client_id), by=by, now=realm.clock.now())


def enable_client(realm: Realm, client_id: str, *, by: Actor = SERVER) -> Refused | None:
    """Let the client begin new families."""
    with realm.database.write() as tx:
        if not _exists(tx, client_id):
            return Refused(NOT_FOUND, f"There is no client {client_id!r}.")
        realm.revocation.enable_client(tx, client_id, by=by, now=realm.clock.now())
    return None


def _record_created(tx: Transaction, realm: Realm, client: Client, by: Actor) -> None:
    audit.write(
        tx,
        AuditName.CLIENT_CREATED,
        by=by,
        now=client.created_at,
        entropy=realm.entropy,
        client_id=client.client_id,
        detail={"kind": client.kind.value, "first_party": client.first_party, "scope": " ".join(client.scope)},
    )


def _exists(tx: Transaction, client_id: str) -> bool:
    return is_storable(client_id) and clients.find(tx, client_id) is not None


def _find_errors(wish: ClientWish) -> Iterator[FieldError]:
    if not wish.name.strip() or not is_storable(wish.name) or not wish.name.isprintable():
        yield FieldError("name", "invalid_name", "A client needs a printable name.")
    if not all(_SCOPE_TOKEN.match(token) for token in wish.scope):
        yield FieldError("scope", "invalid_scope", "A scope token has no space, quote or backslash.")
    if wish.first_party and wish.kind is ClientKind.RESOURCE_SERVER:
        yield FieldError("first_party", "invalid_combination", "A resource server signs nobody in.")
    for uri in wish.redirect_uris:
        parts = _split(uri)
        if parts is None or not parts.scheme or parts.fragment:
            yield FieldError(
                "redirect_uri", "invalid_redirect_uri", f"{uri!r} is not an absolute URI without fragment."
            )
    for origin in wish.origins:
        parts = _split(origin)
        if parts is None or parts.scheme not in {"http", "https"} or origin != f"{parts.scheme}://{parts.netloc}":
            yield FieldError("origin", "invalid_origin", f"{origin!r} is not an origin like https://app.example.")
    for audience in wish.audience:
        parts = _split(audience)
        if parts is None or not parts.scheme:
            yield FieldError("audience", "invalid_audience", f"{audience!r} is not an absolute URI (RFC 8707 §2).")


def _split(uri: str) -> SplitResult | None:
    """The parts of a URI in the characters that URIs are made of, or None. Lists are kept with spaces between."""
    if not uri.isascii() or not uri.isprintable() or " " in uri:
        return None
    try:
        return urlsplit(uri)
    except ValueError:
        return None
