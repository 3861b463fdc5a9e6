"""Verifies a typed password, and checks and hashes a new one, for all use cases."""

from authserver.authentication.hashing import run_hash
from authserver.credentials.password_text import SAME, PasswordBreach, normalise_password
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import Invalid, TryLater
from authserver.records.field_error import FieldError
from authserver.records.user import Credentials, Standing, User
from authserver.storage import Transaction, users


def verify_password(realm: Realm, credentials: Credentials, password: Secret) -> bool | TryLater:
    """Whether `password` matches `credentials`; `TryLater` if the hashing pool is full."""
    normal = normalise_password(password.reveal())
    if isinstance(normal, PasswordBreach):
        return False
    verification = run_hash(realm, lambda: realm.passwords.hasher.verify(normal, credentials.password_hash))
    return verification if isinstance(verification, TryLater) else verification.matches


def is_unchanged(tx: Transaction, verified: User) -> bool:
    """Lock the user's row; return whether a password verified before this transaction still counts (design §5).

    It does not count while the user is locked or disabled, even if they already were when it was verified.
    """
    user = users.lock(tx, verified.user_id)
    return user is not None and is_still(user, verified)


def is_still(user: User, verified: User) -> bool:
    """Whether `user` is active and their credentials have not changed since they were `verified`."""
    return user.standing is Standing.ACTIVE and user.credential_version == verified.credential_version


def hash_new_password(
    realm: Realm, password: Secret, credentials: Credentials, *, field: str
) -> str | Invalid | TryLater:
    """Check a new password against the password policy and hash it.

    Returns the hash, or the errors for the input `field`. The user's present password is an error, too.
    """
    normal = normalise_password(password.reveal())
    if isinstance(normal, PasswordBreach):
        return Invalid((FieldError(field, normal.code, normal.message),))
    user, stored = credentials.user, credentials.password_hash
    breaches = realm.passwords.policy.breaches(normal, email=user.email, name=user.name)
    if breaches:
        return Invalid(tuple(FieldError(field, breach.code, breach.message) for breach in breaches))

    def hash_another() -> str | PasswordBreach:
        """Hash the password, unless it is the present one: that change would end sessions and protect nobody."""
        if stored is not None and realm.passwords.hasher.verify(normal, stored).matches:
            return SAME
        return realm.passwords.hasher.hash(normal)

    hashed = run_hash(realm, hash_another)
    return Invalid((FieldError(field, hashed.code, hashed.message),)) if isinstance(hashed, PasswordBreach) else hashed
