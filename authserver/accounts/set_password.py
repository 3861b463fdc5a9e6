"""Giving a user another password, on behalf of an operator who vouches for whoever will use it."""

from authserver.accounts.outcomes import NOT_FOUND, FieldError, Invalid, Refused, TryLater
from authserver.credentials.events import PasswordSetByAdmin
from authserver.credentials.hashing_pool import Busy
from authserver.credentials.password_text import PasswordBreach, normalise_password
from authserver.protocol.secret import Secret
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.revocation import Receipt
from authserver.storage import users
from authserver.storage.audit import Actor


def set_password(realm: Realm, user_id: str, password: Secret, *, by: Actor) -> Receipt | Refused | Invalid | TryLater:
    """Replace the password of the user; all sessions end, and no access token issued before passes any more."""
    with realm.database.read() as tx:
        user = users.find(tx, user_id) if is_storable(user_id) else None
    if user is None:
        return Refused(NOT_FOUND, f"There is no user {user_id!r}.")
    normal = normalise_password(password.reveal())
    if isinstance(normal, PasswordBreach):
        return Invalid((FieldError("password", normal.code, normal.message),))
    breaches = realm.password_policy.breaches(normal, email=user.email, name=user.name)
    if breaches:
        return Invalid(tuple(FieldError("password", breach.code, breach.message) for breach in breaches))
    hashed = realm.hashing_pool.run(lambda: realm.hasher.hash(normal))
    if isinstance(hashed, Busy):
        return TryLater()
    with realm.database.write() as tx:
        return realm.revocation.apply(tx, PasswordSetByAdmin(user_id, hashed), by=by, now=realm.clock.now())
