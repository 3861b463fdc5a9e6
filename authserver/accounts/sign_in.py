"""Signing in with a password.

Unknown address, wrong password, locked and disabled give one answer for one amount of work (ASVS 6.3.8), the record of
the failure included. The password is verified before the transaction; whatever changed the credentials meanwhile is
found in it (design §5).
"""

from dataclasses import dataclass
from datetime import datetime

from authserver.accounts.open_session import PASSWORD, DeviceClaim, Origin, open_session
from authserver.accounts.outcomes import (
    EMAIL_NOT_VERIFIED,
    INVALID_CREDENTIALS,
    INVALID_SCOPE,
    UNAUTHORIZED_CLIENT,
    Refused,
    TryLater,
)
from authserver.credentials.email_address import InvalidEmail, canonicalise_email
from authserver.credentials.events import PasswordRehashed
from authserver.credentials.hashing_pool import Busy
from authserver.credentials.password_text import PasswordBreach, normalise_password
from authserver.credentials.passwords import Verification
from authserver.protocol.audit_name import AuditName
from authserver.protocol.secret import Secret
from authserver.realm import Realm, TokenAnswer, issue_tokens
from authserver.realm.token_answer import Holding
from authserver.sessions.family import Standing
from authserver.sessions.scope import ADMIN_ROLE, ADMIN_SCOPE
from authserver.storage import Transaction, audit, clients, users
from authserver.storage.audit import Actor
from authserver.storage.clients import Client
from authserver.storage.users import Credentials, User


@dataclass(frozen=True, slots=True)
class SignIn:
    """What the person and the client present. `scope` None asks for all that the client may have."""

    email: str
    password: Secret
    client_id: str
    scope: str | None
    device: DeviceClaim
    origin: Origin


def sign_in(realm: Realm, attempt: SignIn) -> TokenAnswer | Refused | TryLater:
    """Verify the password and open a session, or refuse."""
    client = realm.clients.find(attempt.client_id)
    if client is None or not client.first_party or client.disabled_at is not None:
        return _refuse_client(attempt.client_id)
    if attempt.scope is not None and not set(attempt.scope.split()) <= set(client.scope):
        return Refused(INVALID_SCOPE, "The client may not ask for this scope.")
    verified = _verify(realm, attempt)
    if isinstance(verified, TryLater):
        return verified
    now = realm.clock.now()
    with realm.database.write() as tx:
        outcome = verified if isinstance(verified, _Failed) else _open(tx, realm, attempt, client, verified.user, now)
        _record(tx, realm, attempt, outcome, now)
    return outcome.refused if isinstance(outcome, _Failed) else issue_tokens(realm, outcome, now=now)


@dataclass(frozen=True, slots=True)
class _Failed:
    """Nobody is signed in. `user_id` is the user whom the address named, if it named one."""

    refused: Refused
    user_id: str | None


def _record(tx: Transaction, realm: Realm, attempt: SignIn, outcome: Holding | _Failed, now: datetime) -> None:
    """One record for each attempt. The address is no part of it: people type passwords there, too."""
    detail: dict[str, str | int | bool | None] = {"user_agent": attempt.origin.user_agent}
    if isinstance(outcome, _Failed):
        name, by = AuditName.LOGIN_FAIL, Actor(f"client:{attempt.client_id}", attempt.origin.ip)
        user_id, sid = outcome.user_id, None
        detail["reason"] = outcome.refused.reason
    else:
        name, by = AuditName.LOGIN_SUCCESS, Actor(outcome.grant.user_id, attempt.origin.ip)
        user_id, sid = outcome.grant.user_id, outcome.grant.sid
        detail["amr"] = " ".join(outcome.grant.amr)
    audit.write(
        tx,
        name,
        by=by,
        now=now,
        entropy=realm.entropy,
        outcome="failure" if isinstance(outcome, _Failed) else "success",
        user_id=user_id,
        sid=sid,
        client_id=attempt.client_id,
        detail=detail,
    )


def _open(
    tx: Transaction, realm: Realm, attempt: SignIn, client: Client, verified: User, now: datetime
) -> Holding | _Failed:
    """Open the session, unless what was verified is no longer so."""
    user = users.lock(tx, verified.user_id)
    if user is None or not _still_good(user, verified):
        return _fail("changed_meanwhile", verified.user_id)
    if realm.registration.require_verified_email and not user.email_verified:
        message = "Please confirm your e-mail address first."
        return _Failed(Refused(EMAIL_NOT_VERIFIED, message, "email_not_verified"), user.user_id)
    family_version = clients.find_family_version(tx, client.client_id)
    if family_version is None:
        return _Failed(_refuse_client("client_disabled"), user.user_id)
    return open_session(
        tx,
        realm,
        user=user,
        client=client,
        client_family_version=family_version,
        scope=_grant_scope(client, attempt.scope, user),
        authentication=PASSWORD,
        device=attempt.device,
        origin=attempt.origin,
        now=now,
    )


def _verify(realm: Realm, attempt: SignIn) -> Credentials | _Failed | TryLater:
    """The credentials that the password fits, after one hash whatever happens."""
    email, password = canonicalise_email(attempt.email), normalise_password(attempt.password.reveal())
    credentials = None
    if not isinstance(email, InvalidEmail):
        with realm.database.read() as tx:
            credentials = users.find_credentials(tx, email)
    user_id = None if credentials is None else credentials.user.user_id
    if isinstance(password, PasswordBreach):
        return _fail(password.code, user_id)
    stored = None if credentials is None else credentials.password_hash
    verification = realm.hashing_pool.run(lambda: realm.hasher.verify(password, stored))
    if isinstance(verification, Busy):
        return TryLater()
    if credentials is None or stored is None or not verification.matches:
        return _fail(_name_fault(credentials, verification), user_id)
    if credentials.user.standing is not Standing.ACTIVE:
        return _fail(f"user_{credentials.user.standing.value}", user_id)
    if verification.outdated:
        _rehash(realm, credentials.user, stored, password, attempt.origin, realm.clock.now())
    return credentials


def _name_fault(credentials: Credentials | None, verification: Verification) -> str:
    if credentials is None:
        return "unknown_address"
    if credentials.password_hash is None:
        return "no_password"
    return "unreadable_hash" if verification.unreadable else "wrong_password"


def _rehash(realm: Realm, user: User, stored: str, password: Secret, origin: Origin, now: datetime) -> None:
    """Replace an outdated hash. Ends no session; when the pool is full, the next sign-in tries again."""
    renewed = realm.hashing_pool.run(lambda: realm.hasher.hash(password))
    if isinstance(renewed, Busy):
        return
    event = PasswordRehashed(user.user_id, replaces=stored, password_hash=renewed)
    with realm.database.write() as tx:
        realm.revocation.apply(tx, event, by=Actor("server", origin.ip), now=now)


def _still_good(user: User, verified: User) -> bool:
    return user.standing is Standing.ACTIVE and user.credential_version == verified.credential_version


def _grant_scope(client: Client, asked: str | None, user: User) -> str:
    wanted = client.scope if asked is None else dict.fromkeys(asked.split())
    return " ".join(token for token in wanted if token != ADMIN_SCOPE or ADMIN_ROLE in user.roles)


def _fail(reason: str, user_id: str | None) -> _Failed:
    """One answer, whatever the reason: that is for the log and the record alone."""
    return _Failed(Refused(INVALID_CREDENTIALS, "The e-mail address or the password is wrong.", reason), user_id)


def _refuse_client(reason: str) -> Refused:
    return Refused(UNAUTHORIZED_CLIENT, "This client may not sign people in with a password.", reason)
