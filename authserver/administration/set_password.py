"""Sets a user's password on behalf of an operator, who has to make sure that the right person receives it."""

from authserver.administration.rehearsal import write_or_rehearse
from authserver.authentication.passwords import hash_new_password
from authserver.credentials.events import PasswordSetByAdmin
from authserver.protocol.secret import Secret
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, Invalid, Refused, TryLater
from authserver.records.audit import Actor
from authserver.revocation import Receipt
from authserver.storage import users


def set_password(
    realm: Realm, user_id: str, password: Secret, *, by: Actor, dry_run: bool = False
) -> Receipt | Refused | Invalid | TryLater:
    """Replace the password of the user. All sessions end, and every access token issued before becomes invalid."""
    with realm.database.read() as tx:
        credentials = users.find_credentials_by_id(tx, user_id) if is_storable(user_id) else None
    if credentials is None:
        return _refuse(user_id)
    hashed = hash_new_password(realm, password, credentials, field="password")
    if not isinstance(hashed, str):
        return hashed
    with write_or_rehearse(realm, dry_run=dry_run) as tx:
        if users.lock(tx, user_id) is None:  # deleted while the hash was made
            return _refuse(user_id)
        return realm.revocation.apply(tx, PasswordSetByAdmin(user_id, hashed), by=by, now=realm.clock.now())


def _refuse(user_id: str) -> Refused:
    return Refused(NOT_FOUND, f"There is no user {user_id!r}.")
