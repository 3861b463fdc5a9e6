"""Sign-in with a password through a first-party client that shows its own form (contract §3)."""

from dataclasses import dataclass, replace
from datetime import datetime

from authserver.authentication.known_device import introduce_device
from authserver.authentication.open_session import PASSWORD, DeviceClaim, Opening, RequestSource, open_session
from authserver.authentication.prove_password import (
    NotProven,
    SignInRecord,
    find_unchanged,
    prove_password,
    record_sign_in,
)
from authserver.authentication.refused_act import NOBODY, RefusedAct, record_refused
from authserver.protocol.audit_name import AuditName
from authserver.protocol.dpop_request import WITHOUT_PROOF, DpopRequest
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import INVALID_SCOPE, UNAUTHORIZED_CLIENT, Refused, TryLater
from authserver.records.audit import Actor
from authserver.records.client import Client
from authserver.records.user import User
from authserver.sessions.scope import grantable_scope, is_enough
from authserver.storage import Transaction, clients
from authserver.tokens.key_proof import find_refresh_jkt, prove_key, use_proof
from authserver.tokens.new_family import AccessToGrant, choose_audience
from authserver.tokens.token_answer import Holding, TokenAnswer, issue_tokens


@dataclass(frozen=True, slots=True)
class SignIn:
    """The input of a sign-in.

    `scope` None asks for all that the client may have. `device_token` proves a known device (`known_device`). The
    tokens are bound to the key that `dpop` proves, if it proves one.
    """

    email: str
    password: Secret
    client_id: str
    scope: str | None
    device: DeviceClaim
    source: RequestSource
    device_token: Secret | None = None
    dpop: DpopRequest = WITHOUT_PROOF


def sign_in(realm: Realm, attempt: SignIn) -> TokenAnswer | Refused | TryLater:
    """Verify the password and open a session, or refuse; record the attempt."""
    client = _admit(realm, attempt)
    if isinstance(client, Refused):
        return client
    key = prove_key(realm, attempt.dpop, client=client)
    if isinstance(key, Refused):
        return key
    proven = prove_password(realm, attempt.email, attempt.password, attempt.source, device_token=attempt.device_token)
    if isinstance(proven, TryLater):
        return proven
    used = None if isinstance(proven, NotProven) else use_proof(realm, key)
    if used is not None:
        return used
    jkt, now = None if key is None else key.jkt, realm.clock.now()
    with realm.database.write() as tx:
        outcome = proven if isinstance(proven, NotProven) else _open(tx, realm, attempt, client, jkt, proven.user, now)
        record_sign_in(tx, realm, _note(outcome), attempt.source, client_id=attempt.client_id, now=now)
    if isinstance(outcome, NotProven):
        return outcome.refused
    tokens = issue_tokens(realm, outcome.holding, client, now=now, jkt=jkt)
    return replace(tokens, device_token=introduce_device(realm, outcome.user).reveal())


def _admit(realm: Realm, attempt: SignIn) -> Client | Refused:
    """Find the client, if it may sign users in for this scope; otherwise refuse, and record that."""
    client = realm.clients.find(attempt.client_id)
    judged = _judge(client, attempt.scope)
    if isinstance(judged, Client):
        return judged
    known = None if client is None else client.client_id
    by = Actor(NOBODY if known is None else f"client:{known}", attempt.source.ip)
    record_refused(realm, RefusedAct(AuditName.AUTHZ_FAIL, "sign_in", judged.reason, client_id=known), by)
    return judged


def _judge(client: Client | None, scope: str | None) -> Client | Refused:
    if client is None:
        return _refuse_client("unknown_client")
    if not client.first_party:
        return _refuse_client("not_first_party")
    if not client.is_enabled:
        return _refuse_client("client_disabled")
    if scope is not None and not set(scope.split()) <= set(client.scope):
        return Refused(INVALID_SCOPE, "The client may not ask for this scope.", INVALID_SCOPE)
    return client


@dataclass(frozen=True, slots=True)
class _Opened:
    """The family of a new session, and its user as read in the transaction that opened it."""

    holding: Holding
    user: User


def _note(outcome: _Opened | NotProven) -> SignInRecord | NotProven:
    if isinstance(outcome, NotProven):
        return outcome
    granted = outcome.holding.granted
    return SignInRecord(granted.user_id, granted.sid, granted.amr)


def _open(
    tx: Transaction, realm: Realm, attempt: SignIn, client: Client, jkt: str | None, verified: User, now: datetime
) -> _Opened | NotProven:
    """Open the session, unless user, credentials or client have changed since the password was verified."""
    user = find_unchanged(tx, realm, verified)
    if isinstance(user, NotProven):
        return user
    family_version = clients.find_family_version(tx, client.client_id)
    scope = grantable_scope(client.scope if attempt.scope is None else attempt.scope.split(), user.roles)
    audience = choose_audience(realm, client, scope, ())
    if family_version is None or audience is None:
        return NotProven(_refuse_client("client_disabled"), user.user_id)
    if attempt.scope is not None and not is_enough(scope, attempt.scope, None):
        return NotProven(Refused(INVALID_SCOPE, "The user may not grant this scope.", INVALID_SCOPE), user.user_id)
    holding = open_session(
        tx,
        realm,
        user=user,
        opening=Opening(PASSWORD, attempt.device, attempt.source, now),
        client=client,
        granted=AccessToGrant(scope, audience, now, family_version, jkt=find_refresh_jkt(client, jkt)),
    )
    return _Opened(holding, user)


def _refuse_client(reason: str) -> Refused:
    return Refused(UNAUTHORIZED_CLIENT, "This client may not sign people in with a password.", reason)
