"""Readiness of a server: the database answers and has the current schema, and a key can sign."""

from authserver.realm import Realm
from authserver.records.failures import StorageUnavailableError
from authserver.storage.revision import is_current


def find_obstacle(realm: Realm) -> str | None:
    """Find what prevents this process from serving, in a few words; None if it is ready.

    Raises:
        KeyringError: no key can sign.
    """
    try:
        if not is_current(realm.database):
            return "the database is not migrated"
        realm.keyring.current.signing_key  # noqa: B018 - raises where there is none
    except StorageUnavailableError:
        return "the database does not answer"
    return None
