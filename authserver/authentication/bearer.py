"""Authenticates the bearer of an access token at this server: the checks of the token itself, then the database.

A resource server may accept a revoked token for seconds. This server refuses it as soon as the revocation has committed
(design §6).
"""

import math
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from authserver.authentication.asker import Asker
from authserver.jose.access_token import check_access_token
from authserver.jose.errors import TokenRejected
from authserver.jose.jws import FindKey
from authserver.protocol.claims import AccessTokenClaims, ClientToken, UserToken
from authserver.protocol.dpop_request import DpopRequest
from authserver.protocol.limits import LEEWAY, LONGEST_ACCESS_TOKEN_LIFETIME, SIGN_OUT_GRACE
from authserver.realm import Realm
from authserver.realm.outcomes import Refused
from authserver.records.client import Client
from authserver.records.presence import BearerRefused, judge_bearer
from authserver.records.pseudonym import session_identifier, subject_identifier
from authserver.storage import families, sessions
from authserver.tokens.key_proof import ProvenKey, demand_proof, prove_key, use_proof

_OF_A_CLIENT = BearerRefused(
    "wrong_audience",
    soft_logout=False,
    reason="a client's own token",
    detail="This access token belongs to a client. The call needs the access token of a user.",
)


@dataclass(frozen=True, slots=True)
class Bearer(Asker):
    """The user of a valid access token. Session, family, version and standing were checked in the database."""

    claims: UserToken


def authenticate_bearer(realm: Realm, token: str, dpop: DpopRequest | None = None) -> Bearer | BearerRefused:
    """Authenticate the bearer of `token`, for the account API: only tokens of first-party clients are accepted.

    `dpop` is the request, if it shows the token by the scheme `DPoP`.
    """
    return _authenticate(realm, token, dpop, realm.keyring.current.find_verification_key)


def authenticate_bearer_of_any_client(
    realm: Realm, token: str, dpop: DpopRequest | None = None
) -> Bearer | BearerRefused:
    """Authenticate the bearer of `token` of any client. NOT checked: its scope; the caller must check it."""
    return _authenticate(realm, token, dpop, realm.keyring.current.find_verification_key, any_client=True)


def authenticate_signing_out(realm: Realm, token: str, dpop: DpopRequest | None = None) -> Bearer | BearerRefused:
    """Authenticate the bearer of `token`, for signing out.

    Accepted are also tokens that expired within `SIGN_OUT_GRACE`, stale tokens, and tokens of a locked user or of a
    session that expired or ended softly. The token's key may have been retired within `SIGN_OUT_GRACE`.
    """
    retired_after = realm.clock.now() - SIGN_OUT_GRACE
    find_key = partial(realm.keyring.current.find_sign_out_key, retired_after=retired_after)
    return _authenticate(realm, token, dpop, find_key, signing_out=True)


def read_own_token(realm: Realm, token: str, find_key: FindKey, *, audience: str | None) -> AccessTokenClaims:
    """Read the claims of an access token that this issuer signed; raise `TokenRejected` for every other text.

    `sub` and `sid` are the server's own ids of user and session, also in the token of a pairwise client. NOT checked:
    `exp`, which each caller compares with its own clock reading, and anything else in the database.
    """
    claims = check_access_token(
        token,
        find_key=find_key,
        issuer=realm.issuer,
        audience=audience,
        now=realm.clock.seconds(),
        leeway=LEEWAY.total_seconds(),  # of `iat`: another node may have issued the token. `exp` has none
        # The longest that settings allow, so that a shortened setting does not refuse earlier tokens.
        longest_lifetime=LONGEST_ACCESS_TOKEN_LIFETIME.total_seconds(),
        expiry_leeway=math.inf,
    )
    client = realm.clients.find(claims.client_id)
    if isinstance(claims, ClientToken) or client is None or client.pairwise_salt is None:
        return claims
    return _resolve(realm, client, claims)


def _resolve(realm: Realm, client: Client, claims: UserToken) -> UserToken:
    """The claims of a pairwise client's token with the names behind its pseudonyms, which its family knows.

    A token from before this release has the names themselves.
    """
    with realm.database.read() as tx:
        family = families.find_by_fam(tx, claims.fam)
    if family is None or family.granted.client_id != client.client_id:
        raise TokenRejected("invalid_claim", "fam")
    granted = family.granted
    if claims.sub not in {granted.user_id, subject_identifier(client, granted.user_id)}:
        raise TokenRejected("invalid_claim", "sub")
    if claims.sid not in {granted.sid, session_identifier(client, granted.sid)}:
        raise TokenRejected("invalid_claim", "sid")
    return replace(claims, sub=granted.user_id, sid=granted.sid)


def _authenticate(
    realm: Realm,
    token: str,
    dpop: DpopRequest | None,
    find_key: FindKey,
    *,
    signing_out: bool = False,
    any_client: bool = False,
) -> Bearer | BearerRefused:
    bearer = _find_bearer(realm, token, dpop, find_key, signing_out=signing_out, any_client=any_client)
    # A token that was shown by the scheme DPoP can pass by no other one.
    return bearer if isinstance(bearer, Bearer) or dpop is None else replace(bearer, scheme="DPoP")


def _find_bearer(
    realm: Realm, token: str, dpop: DpopRequest | None, find_key: FindKey, *, signing_out: bool, any_client: bool
) -> Bearer | BearerRefused:
    try:
        claims = read_own_token(realm, token, find_key, audience=realm.issuer)
    except TokenRejected as rejected:
        return _refuse(realm, token, find_key, rejected)
    if isinstance(claims, ClientToken):  # none that we issue names this server: see `tokens.client_token`
        return _OF_A_CLIENT
    key = _prove_binding(realm, token, claims, dpop)
    if isinstance(key, BearerRefused):
        return key
    client = realm.clients.find(claims.client_id)
    if client is None or not (any_client or client.first_party):
        return BearerRefused("wrong_audience", soft_logout=False, reason="not a first-party client")
    refusal = judge_user_token(realm, claims, signing_out=signing_out)
    used = use_proof(realm, key) if refusal is None else None
    if used is not None:
        refusal = _refuse_proof(used)
    return refusal or Bearer(claims.sub, claims.sid, claims.auth_time or 0, claims.client_id, claims)


def _refuse(realm: Realm, token: str, find_key: FindKey, rejected: TokenRejected) -> BearerRefused:
    """The refusal. No token of a client itself names this server, so its holder is told what the call needs instead."""
    if rejected.code == _OF_A_CLIENT.code:
        with suppress(TokenRejected):
            if isinstance(read_own_token(realm, token, find_key, audience=None), ClientToken):
                return _OF_A_CLIENT
    return BearerRefused(rejected.code, soft_logout=False, reason=rejected.reason)


def _prove_binding(
    realm: Realm, token: str, claims: UserToken, dpop: DpopRequest | None
) -> ProvenKey | BearerRefused | None:
    """The key that the request proves, if it is the token's own; None for a bearer token (RFC 9449 §4.3, §7.1)."""
    if dpop is None:
        bound = BearerRefused(
            "wrong_binding", soft_logout=True, reason="a bound token as a bearer token", scheme="DPoP"
        )
        return None if claims.jkt is None else bound
    key = demand_proof(prove_key(realm, dpop, access_token=token))
    if isinstance(key, Refused):
        return _refuse_proof(key)
    if key.jkt != claims.jkt:
        return BearerRefused("wrong_binding", soft_logout=True, reason="not bound to the key of the proof")
    return key


def _refuse_proof(refused: Refused) -> BearerRefused:
    return BearerRefused(refused.code, soft_logout=True, reason=refused.reason)


def judge_user_token(realm: Realm, claims: UserToken, *, signing_out: bool = False) -> BearerRefused | None:
    """Why a user's token is refused now, by its `exp` and the database; None if it is valid."""
    now, grace = realm.clock.now(), SIGN_OUT_GRACE if signing_out else timedelta()
    is_expired = now.timestamp() >= claims.exp + grace.total_seconds()
    with realm.database.read() as tx:
        presence = sessions.find_presence(tx, claims.sub, claims.sid, claims.fam, claims.jti)
    return judge_bearer(presence, claims.token_version, now, is_expired=is_expired, signing_out=signing_out)
