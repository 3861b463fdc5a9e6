"""The slow path of a refresh, after the statement changed nothing: read the family, classify, act, answer.

Refusals are values, not exceptions. So what a classification ends is committed, although the answer is an error.
"""

from datetime import datetime
from typing import assert_never

from authserver.credentials.events import RefreshTokenReused
from authserver.grants.base import TokenRequest
from authserver.protocol.oauth_error import OAuthError, invalid_grant, unavailable
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.family import Bond, Family, LateRetryMark
from authserver.sessions.lifetimes import RetryWindows, rest_end
from authserver.sessions.rotation import (
    Ahead,
    AudienceExceeded,
    Classification,
    Expired,
    Lapsed,
    LateRetry,
    NotForClient,
    NotForKey,
    Overtaken,
    Presented,
    Refusal,
    Resting,
    Retry,
    Reused,
    Revoked,
    Rotatable,
    ScopeExceeded,
    Unknown,
    UserRefused,
    classify,
)
from authserver.storage import Transaction, families, users
from authserver.tokens.token_answer import Holding, Narrowing, RestingAnswer, TokenAnswer, issue_tokens


def settle(
    request: TokenRequest, realm: Realm, family_id: bytes, presented: Presented, now: datetime
) -> TokenAnswer | OAuthError:
    """Find out why the statement rotated nothing, do what that requires, and answer."""
    windows = realm.lifetimes.of_client(request.client).retry_windows
    family = realm.rotation.find(family_id)
    verdict = classify(family, presented, windows, now)
    binds = family is not None and _is_bound_by(verdict, family, presented)
    if family is not None and (binds or isinstance(verdict, LateRetry | Reused | Lapsed)):
        with realm.database.write() as tx:
            # Users are locked before families everywhere, to avoid deadlocks. The family is classified again under the
            # lock, because a parallel request may have acted first.
            users.lock(tx, family.granted.user_id)
            family = families.find_for_update(tx, family_id)
            verdict = classify(family, presented, windows, now)
            if family is not None:
                _act(tx, realm, verdict, family, presented, windows, request.actor, now)
                _bind(tx, verdict, family, presented)
    return _answer(request, realm, verdict, family, presented, now)


def _is_bound_by(verdict: Classification, family: Family, presented: Presented) -> bool:
    """Whether this answer hands out tokens of a family that is not bound yet, to a public client that proves a key."""
    answers = isinstance(verdict, Resting | Retry | LateRetry)
    return answers and family.bond is None and presented.binds and presented.jkt is not None


def _bind(tx: Transaction, verdict: Classification, family: Family, presented: Presented) -> None:
    if presented.jkt is not None and _is_bound_by(verdict, family, presented):
        # The current generation was handed out before, without the key: see `sessions.rotation`.
        families.bind(tx, family.family_id, Bond(presented.jkt, family.generation + 1))


def _act(
    tx: Transaction,
    realm: Realm,
    verdict: Classification,
    family: Family,
    presented: Presented,
    windows: RetryWindows,
    by: Actor,
    now: datetime,
) -> None:
    match verdict:
        case LateRetry():
            mark = LateRetryMark(presented.generation, now)
            families.mark_late_retry(tx, family.family_id, mark, rest_end(now, windows.retry_window))
            realm.revocation.note_late_retry(tx, family, by=by, now=now)
        case Lapsed():
            realm.revocation.end_family(tx, family, reason="retry_lapsed", soft_logout=True, by=by, now=now)
        case Reused():
            granted = family.granted
            realm.revocation.apply(tx, RefreshTokenReused(granted.user_id, granted.sid, granted.fam), by=by, now=now)
        case _:
            pass  # a parallel request has changed the row; the new classification needs no action


def _answer(
    request: TokenRequest,
    realm: Realm,
    verdict: Classification,
    family: Family | None,
    presented: Presented,
    now: datetime,
) -> TokenAnswer | OAuthError:
    match verdict:
        case Retry() | LateRetry():
            return _answer_again(request, realm, family, presented, now, TokenAnswer)
        case Resting():
            return _answer_again(request, realm, family, presented, now, RestingAnswer)
        case _:
            return _refuse(verdict)


def _refuse(verdict: Refusal | Overtaken | Rotatable) -> OAuthError:  # noqa: C901, PLR0911, PLR0912 - one line for each
    match verdict:
        case Reused(consecutive_late_retries):
            reason = "late retry in two generations" if consecutive_late_retries else "past generation"
            return invalid_grant(f"reuse: {reason}", soft_logout=False)
        case Lapsed():
            return invalid_grant("predecessor after every retry window", soft_logout=True)
        case Expired():
            return invalid_grant("expired", soft_logout=True)
        case Revoked(soft_logout):
            return invalid_grant("revoked", soft_logout=soft_logout)
        case UserRefused(soft_logout):
            return invalid_grant("user locked or disabled", soft_logout=soft_logout)
        case Ahead():
            return invalid_grant("generation ahead of the database: has it lost commits?", soft_logout=True)
        case NotForClient():
            return invalid_grant("issued to another client", soft_logout=False)
        case NotForKey():
            return invalid_grant("bound to a key that the request does not prove", soft_logout=True)
        case ScopeExceeded():
            return OAuthError("invalid_scope", "The scope exceeds what was granted.", "scope exceeds the grant")
        case AudienceExceeded():
            return OAuthError("invalid_target", "The resource was not granted.", "resource exceeds the grant")
        case Unknown():
            return invalid_grant("unknown family", soft_logout=False)
        case Overtaken():
            return unavailable("overtaken by the exchange of its successor")
        case Rotatable():
            # The obstacle (a locked user, a disabled client) was removed between the statement and this read.
            return unavailable("the state changed meanwhile", retry_after=0)
        case _:
            assert_never(verdict)


def _answer_again(
    request: TokenRequest,
    realm: Realm,
    family: Family | None,
    presented: Presented,
    now: datetime,
    shape: type[TokenAnswer],
) -> TokenAnswer | OAuthError:
    """Answer with the current generation again, and a new access token. The family stays unchanged."""
    if family is None:
        return invalid_grant("unknown family", soft_logout=False)
    mac_key = realm.keyring.find_mac_key(family.mac_kid)
    if mac_key is None and realm.keyring.current.find_ended_mac_key(family.mac_kid) is not None:
        return invalid_grant(f"MAC key {family.mac_kid} has ended", soft_logout=True)
    if mac_key is None:
        return unavailable(f"this node does not know MAC key {family.mac_kid}")
    holding = Holding(
        family.family_id,
        family.generation,
        mac_key,
        family.granted,
        family.ends_at,
        family.token_version,
        family.roles,
    )
    narrowing = Narrowing(presented.scope, presented.audience)
    jkt = request.jkt
    return issue_tokens(realm, holding, request.client, now=now, narrowing=narrowing, jkt=jkt, shape=shape)
