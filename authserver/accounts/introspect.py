"""Introspection (RFC 7662): what a token is worth at this moment. The database is asked, never the feed."""

from authserver.accounts.bearer import LEEWAY, LONGEST_LIFETIME, judge_user_token
from authserver.jose.access_token import check_access_token
from authserver.jose.errors import TokenRejected
from authserver.protocol.claims import AccessTokenClaims
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.refresh_token import RefreshToken
from authserver.realm import Realm, prove_refresh_token
from authserver.sessions.family import Family, Standing
from authserver.storage import families, feed
from authserver.storage.clients import Client

Introspection = AccessTokenClaims | Family
"""A live token: the claims of an access token, or the family of a refresh token at its current generation."""


def introspect(realm: Realm, client: Client, token: str) -> Introspection | None:
    """The live token behind `token`, if `client` may know of it; None in every other case (§2.2, §4).

    A resource server learns of access tokens that name one of its audiences, any other client of its own tokens.
    """
    proof = prove_refresh_token(realm, token)
    if isinstance(proof, RefreshToken):
        return _find_live_family(realm, client, proof)
    claims = find_sound_claims(realm, token)
    if claims is None or not _concerns(realm, client, claims):
        return None
    return claims if _is_live(realm, claims) else None


def find_sound_claims(realm: Realm, token: str) -> AccessTokenClaims | None:
    """The claims of an unexpired access token of ours, for any resource server; None for anything else."""
    try:
        return check_access_token(
            token,
            find_key=realm.keyring.current.find_verification_key,
            issuer=realm.issuer,
            audience=realm.default_audience,
            now=realm.clock.seconds(),
            leeway=LEEWAY.total_seconds(),
            longest_lifetime=LONGEST_LIFETIME.total_seconds(),
        )
    except TokenRejected:
        return None


def _concerns(realm: Realm, client: Client, claims: AccessTokenClaims) -> bool:
    if client.kind is not ClientKind.RESOURCE_SERVER:
        return claims.client_id == client.client_id
    return not set(client.audience or (realm.default_audience,)).isdisjoint(claims.aud)


def _is_live(realm: Realm, claims: AccessTokenClaims) -> bool:
    if claims.sid is not None:
        return judge_user_token(realm, claims) is None
    client = realm.clients.find(claims.client_id)
    with realm.database.read() as tx:
        return client is not None and client.disabled_at is None and not feed.is_token_revoked(tx, claims.jti)


def _find_live_family(realm: Realm, client: Client, token: RefreshToken) -> Family | None:
    with realm.database.read() as tx:
        family = families.find(tx, token.family_id)
    now = realm.clock.now()
    if family is None or family.grant.client_id != client.client_id or family.generation != token.generation:
        return None
    live = family.ended is None and family.client_enabled and family.standing is Standing.ACTIVE
    return family if live and now < min(family.idle_expires_at, family.expires_at) else None
