"""Clients whose id is the URL of a document that describes them (OAuth Client ID Metadata Document).

Such a client has a row only once a user has allowed it something: the row is what its tokens, its consents and its
being disabled hang on. Before that, and whenever an authorization request comes, its document is read.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import structlog

from authserver.clients.register_client import add_client, record_client
from authserver.protocol.audit_name import AuditName
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.client import Client
from authserver.records.client_document import DESCRIBED, describe, is_same_description, is_url
from authserver.records.provenance import ByDocument
from authserver.storage import Transaction, clients, described_clients

_log = structlog.get_logger(__name__)

MOST_PER_USER: Final = 100
"""How many clients by URL a user may have connected: each of them is a row that anybody can make up."""

_LOGGED: Final = 300


def find_described(realm: Realm, client_id: str) -> Client | None:
    """Find a client for an authorization request: one by URL as its document describes it now.

    Do not call it in a transaction: it may fetch the document.
    """
    known = realm.clients.find(client_id)
    if not is_url(client_id) or (known is not None and not _may_be_described(known)):
        return known
    document = realm.documents.find(client_id)
    if isinstance(document, str):
        _log.info("client_document_refused", client_id=client_id[:_LOGGED], reason=document)
        return None
    return describe(document, realm.documents.policy.terms, known, realm.clock.now())


def is_as_allowed(tx: Transaction, client: Client, granted_at: datetime) -> bool:
    """Whether a consent from `granted_at` was about the client as it describes itself now."""
    if not isinstance(client.provenance, ByDocument):
        return True
    known = clients.find(tx, client.client_id)
    if known is None or not isinstance(known.provenance, ByDocument):
        return False
    return granted_at >= known.provenance.changed_at and is_same_description(known, client)


def store_described(tx: Transaction, realm: Realm, client: Client, *, by: Actor, now: datetime) -> None:
    """Store a client by URL as its user has allowed it. Nothing is written if it is stored like that, or disabled."""
    if not isinstance(client.provenance, ByDocument) or _is_stored(clients.find(tx, client.client_id), client):
        return
    known = clients.find_for_update(tx, client.client_id)
    if known is None and add_client(tx, realm, replace(client, provenance=ByDocument(now)), by):
        return
    known = known or clients.find_for_update(tx, client.client_id)  # another request has stored it meanwhile
    if known is None or not _may_be_described(known):
        return
    # Only what the document says: an operator may have changed the rest since `client` was read.
    said: dict[str, Any] = {name: client.of(name) for name in DESCRIBED}
    provenance = known.provenance if is_same_description(known, client) else ByDocument(now)
    clients.write_description(tx, replace(known, kind=client.kind, provenance=provenance, **said))
    names = sorted(name for name, value in said.items() if known.of(name) != value)
    record_client(tx, realm, AuditName.CLIENT_UPDATED, client, by, {"changed": " ".join(names)})


def has_too_many(tx: Transaction, client: Client, user_id: str) -> bool:
    """Whether the user may connect no further client by URL. Those count that were connected in the last weeks."""
    if not isinstance(client.provenance, ByDocument):
        return False
    connected = described_clients.list_of_user(tx, user_id)
    return len(connected) >= MOST_PER_USER and client.client_id not in connected


def _is_stored(known: Client | None, client: Client) -> bool:
    """Whether the row says what the client says of itself. What operators set for it is not compared."""
    if known is None or known.kind is not client.kind:
        return False
    return all(known.of(name) == client.of(name) for name in DESCRIBED)


def _may_be_described(known: Client) -> bool:
    return known.is_enabled and isinstance(known.provenance, ByDocument)
