"""Who stands behind an access token at this server itself: the token's own checks, then the database, at once.

Elsewhere a revoked token may live for seconds; here it is dead when the revocation has committed (design §6).
"""

import math
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from authserver.authentication.asker import Asker
from authserver.jose.access_token import check_access_token
from authserver.jose.errors import TokenRejected
from authserver.jose.jws import FindKey
from authserver.protocol.claims import AccessTokenClaims, ClientToken, UserToken
from authserver.realm import Realm
from authserver.records.presence import BearerRefused, judge_bearer
from authserver.storage import sessions

LEEWAY = timedelta(seconds=30)
"""How far ahead of this node's clock `iat` may lie: another node issued the token. `exp` has no leeway here."""

LONGEST_LIFETIME = timedelta(hours=1)
"""The longest access-token lifetime that settings allow; a shortened setting does not refuse tokens issued before."""

SIGN_OUT_GRACE = timedelta(hours=24)
"""How long after its expiry an access token may still sign its own session out (contract §3)."""


@dataclass(frozen=True, slots=True)
class Bearer(Asker):
    """A user's live access token. Session, family, version and standing were looked up."""

    claims: UserToken


def authenticate_bearer(realm: Realm, token: str) -> Bearer | BearerRefused:
    """The bearer of `token`, for calls that act on the account of a first-party client's user."""
    return _authenticate(realm, token, realm.keyring.current.find_verification_key)


def authenticate_bearer_of_any_client(realm: Realm, token: str) -> Bearer | BearerRefused:
    """The bearer of `token`, whichever client the user let have it: for what its scope alone allows."""
    return _authenticate(realm, token, realm.keyring.current.find_verification_key, any_client=True)


def authenticate_signing_out(realm: Realm, token: str) -> Bearer | BearerRefused:
    """The bearer of `token`, for signing out: a session that is locked, stale, expired or softly ended may be ended.

    Also when the key that signed has left the JWKS meanwhile: a token outlives its key here, not its session.
    """
    retired_after = realm.clock.now() - SIGN_OUT_GRACE
    find_key = partial(realm.keyring.current.find_sign_out_key, retired_after=retired_after)
    return _authenticate(realm, token, find_key, signing_out=True)


def read_own_token(realm: Realm, token: str, find_key: FindKey, *, audience: str | None) -> AccessTokenClaims:
    """The claims of an access token that this issuer signed, or `TokenRejected`.

    NOT checked: `exp`, which each caller compares with its own clock reading, and what the database says.
    """
    return check_access_token(
        token,
        find_key=find_key,
        issuer=realm.issuer,
        audience=audience,
        now=realm.clock.seconds(),
        leeway=LEEWAY.total_seconds(),
        longest_lifetime=LONGEST_LIFETIME.total_seconds(),
        expiry_leeway=math.inf,
    )


def _authenticate(
    realm: Realm, token: str, find_key: FindKey, *, signing_out: bool = False, any_client: bool = False
) -> Bearer | BearerRefused:
    try:
        claims = read_own_token(realm, token, find_key, audience=realm.issuer)
    except TokenRejected as rejected:
        return BearerRefused(rejected.code, soft_logout=False, reason=rejected.reason)
    if isinstance(claims, ClientToken):
        return BearerRefused("invalid_claim", soft_logout=False, reason="a client's own token")
    if claims.jkt is not None:
        # Nobody here looks at a proof, so a bound token must not pass as a bearer token (RFC 9449 §7.2).
        return BearerRefused("invalid_claim", soft_logout=False, reason="a DPoP-bound token")
    client = realm.clients.find(claims.client_id)
    if client is None or not (any_client or client.first_party):
        return BearerRefused("wrong_audience", soft_logout=False, reason="not a first-party client")
    refusal = judge_user_token(realm, claims, signing_out=signing_out)
    return refusal or Bearer(claims.sub, claims.sid, claims.auth_time or 0, claims.client_id, claims)


def judge_user_token(realm: Realm, claims: UserToken, *, signing_out: bool = False) -> BearerRefused | None:
    """Why a user's token is refused now, from its `exp` and the database; None when it is good."""
    now, grace = realm.clock.now(), SIGN_OUT_GRACE if signing_out else timedelta()
    is_expired = now.timestamp() >= claims.exp + grace.total_seconds()
    with realm.database.read() as tx:
        presence = sessions.find_presence(tx, claims.sub, claims.sid, claims.fam, claims.jti)
    return judge_bearer(presence, claims.token_version, now, is_expired=is_expired, signing_out=signing_out)
