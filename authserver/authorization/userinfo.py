"""Userinfo: the present claims about a user, for a client that they allowed to read them (OpenID Connect Core §5.3)."""

from dataclasses import dataclass
from typing import Final

from authserver.authentication.bearer import authenticate_bearer_of_any_client
from authserver.protocol.dpop_request import DpopRequest
from authserver.protocol.user_claims import allowed_claims
from authserver.realm import Realm
from authserver.records.presence import BearerRefused
from authserver.records.pseudonym import subject_identifier
from authserver.sessions.scope import OPENID_SCOPE
from authserver.storage import users
from authserver.tokens.allowance import find_allowance
from authserver.tokens.disclosure import describe_user, map_claims

UserInfo = dict[str, object]
_GONE: Final = BearerRefused("session_revoked", soft_logout=False, reason="user or client gone")


@dataclass(frozen=True, slots=True)
class ScopeMissing:
    """The token is valid, but lacks `scope`, or the client may no longer have it."""

    scope: str


def find_userinfo(realm: Realm, token: str, dpop: DpopRequest | None = None) -> UserInfo | ScopeMissing | BearerRefused:
    """Find the claims that the token's scope allows, if the client may still have that scope.

    Claims without a value are left out (§5.3.2).
    """
    bearer = authenticate_bearer_of_any_client(realm, token, dpop)
    if isinstance(bearer, BearerRefused):
        return bearer
    client = realm.clients.find(bearer.claims.client_id)
    if client is None:
        return _GONE
    scopes = bearer.claims.scopes & find_allowance(realm, client).scope
    if OPENID_SCOPE not in scopes:
        return ScopeMissing(OPENID_SCOPE)
    with realm.database.read() as tx:
        user = users.find(tx, bearer.user_id)
    if user is None:
        return _GONE
    told = {**map_claims(client, user.roles), **describe_user(user, allowed_claims(scopes))}
    return {**told, "sub": subject_identifier(client, user.user_id)}
