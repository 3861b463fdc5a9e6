"""Who stands behind an access token at this server itself: the token's own checks, then the database, at once.

Elsewhere a revoked token may live for seconds; here it is dead when the revocation has committed (design §6).
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from authserver.accounts.asker import Asker
from authserver.jose.access_token import check_access_token
from authserver.jose.errors import TokenRejected
from authserver.jose.jws import FindKey
from authserver.protocol.claims import AccessTokenClaims
from authserver.realm import Realm
from authserver.sessions.family import Standing
from authserver.storage import sessions
from authserver.storage.sessions import Presence

LEEWAY = timedelta(seconds=30)
LONGEST_LIFETIME = timedelta(hours=1)
"""The longest access-token lifetime that settings allow; a shortened setting does not refuse tokens issued before."""

SIGN_OUT_GRACE = timedelta(hours=24)
"""How long after its expiry an access token may still sign its own session out (contract §3)."""


@dataclass(frozen=True, slots=True)
class Bearer(Asker):
    """A user's live access token. Session, family, version and standing were looked up."""

    claims: AccessTokenClaims


@dataclass(frozen=True, slots=True)
class BearerRefused:
    """Why not. `code` is one of the verifier's (contract §6); `soft_logout` tells the client what to keep."""

    code: str
    soft_logout: bool
    reason: str = ""


def authenticate_bearer(realm: Realm, token: str) -> Bearer | BearerRefused:
    """The bearer of `token`, for calls that act on the account of a first-party client's user."""
    return _authenticate(realm, token, realm.keyring.current.find_verification_key, LEEWAY, signing_out=False)


def authenticate_bearer_of_any_client(realm: Realm, token: str) -> Bearer | BearerRefused:
    """The same, whichever client the user let have the token: for what its scope alone allows."""
    find_key = realm.keyring.current.find_verification_key
    return _authenticate(realm, token, find_key, LEEWAY, signing_out=False, any_client=True)


def authenticate_signing_out(realm: Realm, token: str) -> Bearer | BearerRefused:
    """The same for signing out, where a session that is locked, stale, expired or softly ended may still be ended.

    Also when the key that signed has left the JWKS meanwhile: a token outlives its key here, not its session.
    """
    retired_after = realm.clock.now() - SIGN_OUT_GRACE
    find_key = partial(realm.keyring.current.find_sign_out_key, retired_after=retired_after)
    return _authenticate(realm, token, find_key, SIGN_OUT_GRACE, signing_out=True)


def _authenticate(
    realm: Realm, token: str, find_key: FindKey, leeway: timedelta, *, signing_out: bool, any_client: bool = False
) -> Bearer | BearerRefused:
    try:
        claims = check_access_token(
            token,
            find_key=find_key,
            issuer=realm.issuer,
            audience=realm.issuer,
            now=realm.clock.seconds(),
            leeway=leeway.total_seconds(),
            longest_lifetime=LONGEST_LIFETIME.total_seconds(),
        )
    except TokenRejected as rejected:
        return BearerRefused(rejected.code, soft_logout=rejected.code == "expired", reason=rejected.reason)
    if claims.sid is None or claims.fam is None:
        return BearerRefused("invalid_claim", soft_logout=False, reason="a client's own token")
    if claims.jkt is not None:
        # Nobody here looks at a proof, so a bound token must not pass as a bearer token (RFC 9449 §7.2).
        return BearerRefused("invalid_claim", soft_logout=False, reason="a DPoP-bound token")
    client = realm.clients.find(claims.client_id)
    if client is None or not (any_client or client.first_party):
        return BearerRefused("wrong_audience", soft_logout=False, reason="not a first-party client")
    refusal = judge_user_token(realm, claims, signing_out=signing_out)
    return refusal or Bearer(claims.sub, claims.sid, claims.auth_time or 0, claims.client_id, claims)


def judge_user_token(realm: Realm, claims: AccessTokenClaims, *, signing_out: bool = False) -> BearerRefused | None:
    """Why a sound token of a user is refused now, from the database; None when it is good."""
    with realm.database.read() as tx:
        presence = sessions.find_presence(tx, claims.sub, claims.sid or "", claims.fam or "", claims.jti)
    refusal = _judge_ended(presence, signing_out=signing_out)
    return refusal if refusal is not None or signing_out else _judge(presence, claims)


def _judge_ended(presence: Presence | None, *, signing_out: bool) -> BearerRefused | None:
    if presence is None:
        return BearerRefused("session_revoked", soft_logout=False, reason="no such session")
    for ended in (presence.session_ended, presence.family_ended):
        if ended is not None and not (signing_out and ended.soft_logout):
            return BearerRefused("session_revoked", ended.soft_logout, ended.by)
    return None


def _judge(presence: Presence | None, claims: AccessTokenClaims) -> BearerRefused | None:
    if presence is None or not presence.client_enabled:
        return BearerRefused("client_disabled", soft_logout=False)
    if presence.token_revoked:
        return BearerRefused("token_revoked", soft_logout=True)
    if presence.standing is Standing.DISABLED:
        return BearerRefused("session_revoked", soft_logout=False, reason="user disabled")
    if presence.standing is Standing.LOCKED:
        return BearerRefused("user_locked", soft_logout=True)
    if (claims.token_version or 0) < presence.token_version:
        return BearerRefused("stale_token_version", soft_logout=True)
    return None
