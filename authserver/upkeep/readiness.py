"""Whether a server can do its work: the database answers and has the schema, and a key can sign."""

from authserver.realm import Realm
from authserver.records.failures import StorageUnavailableError
from authserver.storage.revision import is_current


def find_obstacle(realm: Realm) -> str | None:
    """What keeps this process from its work, in a few words; None when nothing does.

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
