"""Token revocation by the client that holds the token (RFC 7009)."""

from authserver.authorization.introspect import find_unexpired_claims
from authserver.protocol.claims import AccessTokenClaims, ClientToken
from authserver.protocol.oauth_error import OAuthError, invalid_grant, unavailable
from authserver.protocol.refresh_token import Malformed, RefreshToken, UnknownMacKey
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.client import Client
from authserver.storage import Transaction, clients, families, feed, sessions, users
from authserver.tokens.proof import EndedMacKey, prove_refresh_token


def revoke_token(realm: Realm, client: Client, token: str, ip: str) -> OAuthError | None:
    """End the family of a refresh token of any generation, or one access token.

    Returns None also if there is nothing to end (§2.2). A second call for the same token changes, publishes and records
    nothing. `token_type_hint` is not needed (§2.1).
    """
    match prove_refresh_token(realm, token):
        case Malformed():
            return _end_access_token(realm, client, token, ip)
        case EndedMacKey():
            return None
        case UnknownMacKey(mac_kid):
            return unavailable(f"this node does not know MAC key {mac_kid}")
        case RefreshToken() as proven:
            return _end_family(realm, client, proven, ip)


def _end_family(realm: Realm, client: Client, token: RefreshToken, ip: str) -> OAuthError | None:
    with realm.database.read() as tx:
        family = families.find(tx, token.family_id)
    if family is None:
        return None
    if family.granted.client_id != client.client_id:
        return invalid_grant("issued to another client", soft_logout=False)
    if family.ended is not None:
        return None
    by = Actor(f"client:{client.client_id}", ip)
    with realm.database.write() as tx:
        users.lock(tx, family.granted.user_id)
        realm.revocation.end_family(tx, family, reason="token_revoked", soft_logout=False, by=by, now=realm.clock.now())
    return None


def _end_access_token(realm: Realm, client: Client, token: str, ip: str) -> OAuthError | None:
    claims = find_unexpired_claims(realm, token)
    if claims is None:
        return None
    if claims.client_id != client.client_id:
        return invalid_grant("issued to another client", soft_logout=False)
    with realm.database.read() as tx:
        lives = _lives(tx, claims)
    if not lives:
        return None
    by = Actor(f"client:{client.client_id}", ip)
    with realm.database.write() as tx:
        # The lock orders concurrent calls, and each checks again: only one of them ends and records the token.
        if isinstance(claims, ClientToken):
            clients.find_for_update(tx, claims.client_id)
        else:
            users.lock(tx, claims.sub)
        if _lives(tx, claims):
            realm.revocation.end_token(tx, claims, by=by, now=realm.clock.now())
    return None


def _lives(tx: Transaction, claims: AccessTokenClaims) -> bool:
    """Whether an unexpired token is not stale, and neither it nor its session or family was revoked."""
    if isinstance(claims, ClientToken):
        return not feed.is_token_revoked(tx, claims.jti)
    presence = sessions.find_presence(tx, claims.sub, claims.sid, claims.fam, claims.jti)
    return (
        presence is not None
        and presence.session_ended is None
        and presence.family_ended is None
        and not presence.token_revoked
        and claims.token_version >= presence.token_version
    )
