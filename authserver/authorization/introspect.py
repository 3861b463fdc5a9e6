"""Token introspection (RFC 7662): the present state of a token, read from the database, never from feed pages."""

from dataclasses import replace

from authserver.authentication.bearer import judge_user_token, read_own_token
from authserver.jose.errors import TokenRejected
from authserver.protocol.claims import AccessTokenClaims, UserToken
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.refresh_token import RefreshToken
from authserver.realm import Realm
from authserver.records.client import Client
from authserver.records.family import Family
from authserver.records.pseudonym import session_identifier, subject_identifier
from authserver.records.user import Standing
from authserver.sessions.scope import effective_audience, effective_scope, find_loss
from authserver.storage import clients, families, feed
from authserver.tokens.allowance import find_allowance
from authserver.tokens.proof import prove_refresh_token

Introspection = AccessTokenClaims | Family
"""A live token: the claims of an access token, or the family of a refresh token of the current generation.

Scope and audience are reduced to what the client's record and the user's roles allow now. User and session have the
names that the client of the token sees.
"""


def introspect(realm: Realm, client: Client, token: str) -> Introspection | None:
    """Look up `token`; None if it is not live, or if `client` may not know of it (§2.2, §4).

    A resource server may introspect access tokens for one of its audiences; every other client only its own tokens.
    """
    proof = prove_refresh_token(realm, token)
    if isinstance(proof, RefreshToken):
        return _find_live_family(realm, client, proof)
    claims = find_unexpired_claims(realm, token)
    issued_to = None if claims is None else realm.clients.find(claims.client_id)
    if claims is None or issued_to is None:
        return None
    left = _reduce(realm, issued_to, claims)
    return _name(issued_to, left) if _concerns(realm, client, left) and _is_live(realm, left) else None


def find_unexpired_claims(realm: Realm, token: str) -> AccessTokenClaims | None:
    """Read the claims of an unexpired access token that this issuer signed, for any audience; else None."""
    try:
        claims = read_own_token(realm, token, realm.keyring.current.find_verification_key, audience=None)
    except TokenRejected:
        return None
    return claims if realm.clock.seconds() < claims.exp else None


def _reduce(realm: Realm, issued_to: Client, claims: AccessTokenClaims) -> AccessTokenClaims:
    """Remove from `claims` the scope and audience that the client has lost since."""
    allowance = find_allowance(realm, issued_to)
    roles = claims.roles if isinstance(claims, UserToken) else ()
    scope = effective_scope(claims.scope, None, allowance, roles)
    return replace(claims, scope=scope, aud=effective_audience(claims.aud, None, allowance))


def _name(issued_to: Client, claims: AccessTokenClaims) -> AccessTokenClaims:
    """`claims` with user and session as the token names them."""
    if not isinstance(claims, UserToken):
        return claims
    sub, sid = subject_identifier(issued_to, claims.sub), session_identifier(issued_to, claims.sid)
    return replace(claims, sub=sub, sid=sid)


def _concerns(realm: Realm, client: Client, claims: AccessTokenClaims) -> bool:
    if client.kind is not ClientKind.RESOURCE_SERVER:
        return claims.client_id == client.client_id and bool(claims.aud)
    return not set(client.audience or (realm.default_audience,)).isdisjoint(claims.aud)


def _is_live(realm: Realm, claims: AccessTokenClaims) -> bool:
    if isinstance(claims, UserToken):
        return judge_user_token(realm, claims) is None
    with realm.database.read() as tx:
        return clients.is_enabled(tx, claims.client_id) and not feed.is_token_revoked(tx, claims.jti)


def _find_live_family(realm: Realm, client: Client, token: RefreshToken) -> Family | None:
    with realm.database.read() as tx:
        family = families.find(tx, token.family_id)
    if family is None or family.granted.client_id != client.client_id or family.generation != token.generation:
        return None
    # In whole seconds, like `exp` in the answer, so that no active token has an `exp` in the past.
    over = realm.clock.seconds() >= int(family.ends_at.timestamp())
    live = family.ended is None and family.client_enabled and family.standing is Standing.ACTIVE
    return _reduce_family(realm, client, family) if live and not over else None


def _reduce_family(realm: Realm, client: Client, family: Family) -> Family | None:
    """Reduce what was granted to `family` to what is allowed now; None if a refresh would be refused for that."""
    allowance, granted = find_allowance(realm, client), family.granted
    if find_loss(granted.scope, granted.audience, allowance, family.roles) is not None:
        return None
    scope = effective_scope(granted.scope, None, allowance, family.roles)
    audience = effective_audience(granted.audience, None, allowance)
    user_id, sid = subject_identifier(client, granted.user_id), session_identifier(client, granted.sid)
    return replace(family, granted=replace(granted, user_id=user_id, sid=sid, scope=scope, audience=audience))
