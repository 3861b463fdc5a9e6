"""Bringing users into being: by themselves, or by an operator."""

import re
from dataclasses import dataclass

from authserver.accounts.outcomes import EMAIL_TAKEN, REGISTRATION_CLOSED, FieldError, Invalid, Refused, TryLater
from authserver.credentials.email_address import InvalidEmail, canonicalise_email
from authserver.credentials.hashing_pool import Busy
from authserver.credentials.password_text import PasswordBreach, normalise_password
from authserver.protocol.entropy import new_id
from authserver.protocol.secret import Secret
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.storage import users
from authserver.storage.users import NewUser

LONGEST_NAME = 200
_ROLE = re.compile(r"[\x21-\x7e]{1,100}\Z")  # roles are kept with spaces between


@dataclass(frozen=True, slots=True)
class Registered:
    """The user exists."""

    user_id: str


def register(realm: Realm, *, email: str, password: Secret, name: str) -> Registered | Refused | Invalid | TryLater:
    """Register a person who asks for it, if the installation lets people do so."""
    # Nobody could confirm an address before there are mails, and an unconfirmed one may not sign in.
    if not realm.registration.open or realm.registration.require_verified_email:
        return Refused(REGISTRATION_CLOSED, "Registration is closed.")
    return create_user(realm, email=email, password=password, name=name, roles=(), email_verified=False)


def create_user(
    realm: Realm, *, email: str, password: Secret | None, name: str, roles: tuple[str, ...], email_verified: bool
) -> Registered | Refused | Invalid | TryLater:
    """Create a user. Without a password nobody can sign in as him until one is set."""
    address = canonicalise_email(email)
    normal = None if password is None else normalise_password(password.reveal())
    errors = list(_find_errors(realm, address, normal, name, roles))
    if errors or isinstance(address, InvalidEmail) or isinstance(normal, PasswordBreach):
        return Invalid(tuple(errors))
    hashed = None if normal is None else realm.hashing_pool.run(lambda: realm.hasher.hash(normal))
    if isinstance(hashed, Busy):
        return TryLater()
    user = NewUser(
        user_id=new_id(realm.entropy),
        email=address,
        name=name,
        password_hash=hashed,
        roles=roles,
        email_verified=email_verified,
    )
    with realm.database.write() as tx:
        added = users.add(tx, user, realm.clock.now())
    return Registered(user.user_id) if added else Refused(EMAIL_TAKEN, "This e-mail address is registered already.")


def _find_errors(
    realm: Realm,
    address: str | InvalidEmail,
    password: Secret | PasswordBreach | None,
    name: str,
    roles: tuple[str, ...],
) -> list[FieldError]:
    errors = []
    if isinstance(address, InvalidEmail):
        errors.append(FieldError("email", address.code, address.message))
    if len(name) > LONGEST_NAME or not is_storable(name) or not name.isprintable():
        errors.append(FieldError("name", "invalid_name", f"A name has at most {LONGEST_NAME} printable characters."))
    errors += [
        FieldError("role", "invalid_role", f"{role!r} is not one word of plain characters.")
        for role in roles
        if not _ROLE.match(role)
    ]
    if isinstance(password, PasswordBreach):
        errors.append(FieldError("password", password.code, password.message))
    elif password is not None:
        email = address if isinstance(address, str) else ""
        breaches = realm.password_policy.breaches(password, email=email, name=name)
        errors += [FieldError("password", breach.code, breach.message) for breach in breaches]
    return errors
