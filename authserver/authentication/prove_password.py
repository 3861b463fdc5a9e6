"""Proves by a password who somebody is: the part that all sign-ins share.

An unknown address, a wrong password, a locked and a disabled user get the same answer after the same amount of work,
including the audit record (ASVS 6.3.8). `decoy` describes that work for imported users. The password is verified before
any transaction. If the credentials change in the meantime, `find_unchanged` finds that in the transaction that opens
the session (design §5).
"""

from dataclasses import dataclass
from datetime import datetime

from authserver.authentication.decoy import find_decoy
from authserver.authentication.hashing import run_hash
from authserver.authentication.known_device import find_known_device
from authserver.authentication.open_session import RequestSource
from authserver.authentication.passwords import is_still
from authserver.credentials.email_address import InvalidEmail, canonicalise_email
from authserver.credentials.events import PasswordRehashed
from authserver.credentials.password_text import PasswordBreach, normalise_password
from authserver.credentials.passwords import Verification
from authserver.protocol.audit_name import AuditName
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import EMAIL_NOT_VERIFIED, INVALID_CREDENTIALS, Refused, TryLater
from authserver.records.audit import Actor
from authserver.records.user import Credentials, Standing, User
from authserver.storage import Transaction, audit, registrations, users


@dataclass(frozen=True, slots=True)
class NotProven:
    """The sign-in failed. `user_id` is the user with the given address, if there is one."""

    refused: Refused
    user_id: str | None


@dataclass(frozen=True, slots=True)
class SignInRecord:
    """The audit data of a successful sign-in. It has no address, because people also type passwords in its field."""

    user_id: str
    sid: str
    amr: tuple[str, ...]


def prove_password(
    realm: Realm, email_text: str, password_text: Secret, source: RequestSource, *, device_token: Secret | None
) -> Credentials | NotProven | TryLater:
    """Verify the password of the user with this address; return their credentials as they were read.

    Every attempt with a well-formed password costs one hash. While the hashing pool is full, a device with a valid
    device token of this address gets a reserved place.
    """
    email, password = canonicalise_email(email_text), normalise_password(password_text.reveal())
    credentials, awaited, decoy = None, None, None
    if not isinstance(email, InvalidEmail):
        with realm.database.read() as tx:
            credentials = users.find_credentials(tx, email)
            awaited = registrations.find_newest_hash(tx, email, realm.clock.now())
            decoy = find_decoy(tx, realm, email)
    user_id = None if credentials is None else credentials.user.user_id
    if isinstance(password, PasswordBreach):
        return fail_uniformly(password.code, user_id)
    stored = awaited if credentials is None else credentials.password_hash
    verification = run_hash(
        realm,
        lambda: realm.passwords.hasher.verify(password, stored, decoy=decoy),
        is_known=lambda: find_known_device(realm, email_text, device_token) is not None,
    )
    if isinstance(verification, TryLater):
        return verification
    if credentials is None and verification.matches:
        return _ask_to_confirm(None)
    if credentials is None or stored is None or not verification.matches:
        return fail_uniformly(_name_fault(credentials, verification), user_id)
    if credentials.user.standing is not Standing.ACTIVE:
        return fail_uniformly(f"user_{credentials.user.standing.value}", user_id)
    if verification.outdated:
        _rehash(realm, credentials.user, stored, password, source, realm.clock.now())
    return credentials


def _name_fault(credentials: Credentials | None, verification: Verification) -> str:
    if credentials is None:
        return "unknown_address"
    if credentials.password_hash is None:
        return "no_password"
    return "unreadable_hash" if verification.unreadable else "wrong_password"


def _rehash(realm: Realm, user: User, stored: str, password: Secret, source: RequestSource, now: datetime) -> None:
    """Replace an outdated hash, which ends no session. When the pool is full, the next sign-in tries again."""
    renewed = run_hash(realm, lambda: realm.passwords.hasher.hash(password))
    if isinstance(renewed, TryLater):
        return
    event = PasswordRehashed(user.user_id, replaces=stored, password_hash=renewed)
    with realm.database.write() as tx:
        realm.revocation.apply(tx, event, by=Actor("server", source.ip), now=now)


def find_unchanged(tx: Transaction, realm: Realm, verified: User) -> User | NotProven:
    """Lock the row of the user whose password was verified; return the user if their credentials are unchanged."""
    user = users.lock(tx, verified.user_id)
    if user is None or not is_still(user, verified):
        return fail_uniformly("changed_meanwhile", verified.user_id)
    if realm.registration.require_verified_email and not user.email_verified:
        return _ask_to_confirm(user.user_id)
    return user


def _ask_to_confirm(user_id: str | None) -> NotProven:
    """Refuse, and ask for confirmation of the address. Only callers who know the password may get this answer."""
    message = "Please confirm your e-mail address first."
    return NotProven(Refused(EMAIL_NOT_VERIFIED, message, "email_not_verified"), user_id)


def record_sign_in(
    tx: Transaction,
    realm: Realm,
    outcome: SignInRecord | NotProven,
    source: RequestSource,
    *,
    client_id: str | None,
    now: datetime,
) -> None:
    """Write one audit record about an attempt. `client_id` None means a sign-in at a page."""
    detail: dict[str, str | int | bool | None] = {"user_agent": source.user_agent}
    if isinstance(outcome, NotProven):
        name, sid, actor = AuditName.LOGIN_FAIL, None, "page" if client_id is None else f"client:{client_id}"
        detail["reason"] = outcome.refused.reason
    else:
        name, sid, actor = AuditName.LOGIN_SUCCESS, outcome.sid, outcome.user_id
        detail["amr"] = " ".join(outcome.amr)
    audit.write(
        tx,
        name,
        by=Actor(actor, source.ip),
        now=now,
        entropy=realm.entropy,
        outcome="failure" if isinstance(outcome, NotProven) else "success",
        user_id=outcome.user_id,
        sid=sid,
        client_id=client_id,
        detail=detail,
    )


def fail_uniformly(reason: str, user_id: str | None) -> NotProven:
    """Refuse with the answer that all reasons share. Only log and audit record contain `reason`."""
    return NotProven(Refused(INVALID_CREDENTIALS, "The e-mail address or the password is wrong.", reason), user_id)
