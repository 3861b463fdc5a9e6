"""Signing in with a password.

Unknown address, wrong password, locked and disabled give one answer for one amount of work (ASVS 6.3.8). The password
is verified before the transaction; whatever changed the credentials meanwhile is found in it (design §5).
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
from authserver.protocol.secret import Secret
from authserver.realm import Realm, TokenAnswer, issue_tokens
from authserver.realm.token_answer import Holding
from authserver.sessions.family import Standing
from authserver.sessions.scope import ADMIN_ROLE, ADMIN_SCOPE
from authserver.storage import Transaction, clients, users
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
    credentials = _verify(realm, attempt)
    if not isinstance(credentials, Credentials):
        return credentials
    now = realm.clock.now()
    with realm.database.write() as tx:
        holding = _open(tx, realm, attempt, client, credentials.user, now)
    return holding if isinstance(holding, Refused) else issue_tokens(realm, holding, now=now)


def _open(  # noqa: PLR0917 - what was verified, and what is wished
    tx: Transaction, realm: Realm, attempt: SignIn, client: Client, verified: User, now: datetime
) -> Holding | Refused:
    """Open the session, unless what was verified is no longer so."""
    user = users.lock(tx, verified.user_id)
    if user is None or not _still_good(user, verified):
        return _refuse("changed while the password was verified")
    if realm.registration.require_verified_email and not user.email_verified:
        return Refused(EMAIL_NOT_VERIFIED, "Please confirm your e-mail address first.")
    family_version = clients.find_family_version(tx, client.client_id)
    if family_version is None:
        return _refuse_client(client.client_id)
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


def _verify(realm: Realm, attempt: SignIn) -> Credentials | Refused | TryLater:
    """The credentials that the password fits, after one hash whatever happens."""
    email, password = canonicalise_email(attempt.email), normalise_password(attempt.password.reveal())
    credentials = None
    if not isinstance(email, InvalidEmail):
        with realm.database.read() as tx:
            credentials = users.find_credentials(tx, email)
    if isinstance(password, PasswordBreach):
        return _refuse(password.code)
    stored = None if credentials is None else credentials.password_hash
    verification = realm.hashing_pool.run(lambda: realm.hasher.verify(password, stored))
    if isinstance(verification, Busy):
        return TryLater()
    if credentials is None or stored is None or not verification.matches:
        reason = "unreadable hash" if verification.unreadable else "unknown address or wrong password"
        return _refuse(reason)
    if credentials.user.standing is not Standing.ACTIVE:
        return _refuse(credentials.user.standing.value)
    if verification.outdated:
        _rehash(realm, credentials.user, stored, password, attempt.origin, realm.clock.now())
    return credentials


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


def _refuse(reason: str) -> Refused:
    return Refused(INVALID_CREDENTIALS, "The e-mail address or the password is wrong.", reason)


def _refuse_client(client_id: str) -> Refused:
    return Refused(UNAUTHORIZED_CLIENT, "This client may not sign people in with a password.", client_id)
