"""Creates users: by their own registration, or by an operator."""

from dataclasses import dataclass, field
from datetime import datetime

from authserver.authentication.hashing import run_hash
from authserver.credentials.email_address import InvalidEmail, canonicalise_email
from authserver.credentials.password_text import PasswordBreach, normalise_password
from authserver.mail.requests import REGISTER_REQUEST, RESEND_REQUEST, queue_request
from authserver.protocol.audit_name import AuditName
from authserver.protocol.entropy import Entropy, new_id
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import EMAIL_TAKEN, REGISTRATION_CLOSED, Invalid, Refused, TryLater
from authserver.records.audit import SERVER, Actor, Detail
from authserver.records.field_error import FieldError
from authserver.records.user import NewUser
from authserver.records.user_rules import find_name_errors, find_role_errors
from authserver.storage import Transaction, audit, users


@dataclass(frozen=True, slots=True)
class Registered:
    """The user was created."""

    user_id: str


@dataclass(frozen=True, slots=True)
class Awaited:
    """The registration was queued, whether or not the address is free; its owner gets a mail (contract §3)."""


def register(
    realm: Realm, *, email: str, password: Secret, name: str, ip: str | None = None
) -> Registered | Awaited | Refused | Invalid | TryLater:
    """Register a person, if registration is open.

    If addresses must be confirmed, the request is only queued, so a free and a taken address cause the same work.
    """
    if not realm.registration.open:
        return Refused(REGISTRATION_CLOSED, "Registration is closed.")
    person = _check(realm, email, password, name, ())
    if not isinstance(person, _Person):
        return person
    if not realm.registration.require_verified_email:
        user = NewUser(new_id(realm.entropy), person.address, name, person.password_hash, (), email_verified=False)
        return _add(realm, user, Actor(user.user_id, ip))
    now = realm.clock.now()
    hashed, at = person.password_hash or "", int(now.timestamp())
    with realm.database.write() as tx:
        queue_request(
            tx,
            REGISTER_REQUEST,
            person.address,
            {"name": name, "password_hash": hashed, "at": at},
            now=now,
            entropy=realm.entropy,
        )
    return Awaited()


def ask_confirmation(realm: Realm, email: str) -> None:
    """Queue the request for another confirmation mail. Answer, work and time are equal for every address."""
    address = canonicalise_email(email)
    if not isinstance(address, InvalidEmail):
        with realm.database.write() as tx:
            queue_request(tx, RESEND_REQUEST, address, {}, now=realm.clock.now(), entropy=realm.entropy)


def create_user(
    realm: Realm,
    *,
    email: str,
    password: Secret | None,
    name: str,
    roles: tuple[str, ...],
    email_verified: bool,
    by: Actor = SERVER,
) -> Registered | Refused | Invalid | TryLater:
    """Create a user. Without a password, they cannot sign in until one is set."""
    person = _check(realm, email, password, name, roles)
    if not isinstance(person, _Person):
        return person
    user = NewUser(new_id(realm.entropy), person.address, name, person.password_hash, roles, email_verified)
    return _add(realm, user, by)


def _add(realm: Realm, user: NewUser, by: Actor) -> Registered | Refused:
    now = realm.clock.now()
    with realm.database.write() as tx:
        if not users.add(tx, user, now):
            return Refused(EMAIL_TAKEN, "This e-mail address is already registered.")
        record_created(tx, user, by=by, now=now, entropy=realm.entropy)
    return Registered(user.user_id)


def record_created(tx: Transaction, user: NewUser, *, by: Actor, now: datetime, entropy: Entropy) -> None:
    """Write the audit record of a new user. It does not contain the address."""
    detail: Detail = {"roles": " ".join(user.roles), "email_verified": user.email_verified}
    audit.write(tx, AuditName.USER_CREATED, by=by, now=now, entropy=entropy, user_id=user.user_id, detail=detail)


@dataclass(frozen=True, slots=True)
class _Person:
    address: str
    password_hash: str | None = field(repr=False)


def _check(
    realm: Realm, email: str, password: Secret | None, name: str, roles: tuple[str, ...]
) -> _Person | Invalid | TryLater:
    """Check the input; return the canonical address and the hash, or all errors."""
    address = canonicalise_email(email)
    normal = None if password is None else normalise_password(password.reveal())
    errors = _find_errors(realm, address, normal, name, roles)
    if errors or isinstance(address, InvalidEmail) or isinstance(normal, PasswordBreach):
        return Invalid(tuple(errors))
    hashed = None if normal is None else run_hash(realm, lambda: realm.passwords.hasher.hash(normal))
    return hashed if isinstance(hashed, TryLater) else _Person(address, hashed)


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
    name_errors = list(find_name_errors(name))
    errors += [*name_errors, *find_role_errors(roles)]
    if isinstance(password, PasswordBreach):
        errors.append(FieldError("password", password.code, password.message))
    elif password is not None:
        email = address if isinstance(address, str) else ""
        known = "" if name_errors else name
        breaches = realm.passwords.policy.breaches(password, email=email, name=known)
        errors += [FieldError("password", breach.code, breach.message) for breach in breaches]
    return errors
