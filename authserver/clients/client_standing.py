"""Disables, enables and deletes OAuth clients."""

from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID, find_to_change
from authserver.credentials.events import ClientDisabled
from authserver.realm import Realm
from authserver.realm.outcomes import Refused
from authserver.records.audit import SERVER, Actor
from authserver.records.provenance import ByDocument
from authserver.revocation import Receipt, client_changes

BUILT_IN = "built_in"
TOO_SOON = "too_soon"
ENABLED_MEANWHILE = "enabled_meanwhile"
BY_DOCUMENT = "by_document"


def disable_client(realm: Realm, client_id: str, by: Actor) -> Receipt | Refused:
    """Disable the client at once. Its tokens stay dead when it is enabled again."""
    with realm.database.write() as tx:
        client = find_to_change(tx, client_id)
        if isinstance(client, Refused):
            return client
        return realm.revocation.apply(tx, ClientDisabled(client_id), by=by, now=realm.clock.now())


def enable_client(realm: Realm, client_id: str, *, by: Actor = SERVER) -> Refused | None:
    """Let the client begin new families. Access tokens from before it was disabled stay refused everywhere."""
    with realm.database.write() as tx:
        client = find_to_change(tx, client_id)
        if isinstance(client, Refused):
            return client
        retry_window = realm.lifetimes.of_client(client).retry_windows.retry_window
        not_before = client_changes.enable_client(
            tx, realm.revocation, client, retry_window=retry_window, by=by, now=realm.clock.now()
        )
    if not_before is None:
        return None
    return Refused(TOO_SOON, f"Access tokens that it had would be valid again; enable it after {not_before:%H:%M:%S}Z.")


def delete_client(realm: Realm, client_id: str, *, by: Actor = SERVER) -> Refused | None:
    """Disable the client and remove all of its data except the audit record.

    It runs in several transactions, the first of which ends everything, so an interruption leaves a disabled client.
    """
    if client_id == FIRST_PARTY_CLIENT_ID:
        # `init` would create it again under this id, which resource servers have just learned to refuse.
        return Refused(BUILT_IN, f"The client {client_id!r} is built in; disable it instead.")
    with realm.database.write() as tx:
        client = find_to_change(tx, client_id)
        if isinstance(client, Refused):
            return client
        if isinstance(client.provenance, ByDocument):
            # Its next user would bring it back, under an id that resource servers have just learned to refuse.
            return Refused(BY_DOCUMENT, f"The client {client_id!r} would come back with its next user; disable it.")
        if client.is_enabled:
            realm.revocation.apply(tx, ClientDisabled(client_id), by=by, now=realm.clock.now())
    while _remove_some_families(realm, client_id):
        pass
    with realm.database.write() as tx:
        client = find_to_change(tx, client_id)
        if isinstance(client, Refused):
            return client
        if client.is_enabled:
            return Refused(
                ENABLED_MEANWHILE, f"The client {client_id!r} was enabled in the meantime and is not deleted."
            )
        realm.revocation.delete_client(tx, client_id, by=by, now=realm.clock.now())
    return None


def _remove_some_families(realm: Realm, client_id: str) -> bool:
    with realm.database.write() as tx:
        client = find_to_change(tx, client_id)
        return not isinstance(client, Refused) and client_changes.remove_some_families(tx, client)
