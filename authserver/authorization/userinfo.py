"""Userinfo: the present claims about a user, for a client that they allowed to read them (OpenID Connect Core §5.3)."""

from dataclasses import dataclass
from typing import Final

from authserver.authentication.bearer import authenticate_bearer_of_any_client
from authserver.protocol.dpop_request import DpopRequest
from authserver.protocol.user_claims import allowed_claims
from authserver.realm import Realm
from authserver.records.presence import BearerRefused
from authserver.records.user import User
from authserver.sessions.scope import OPENID_SCOPE
from authserver.storage import users
from authserver.tokens.allowance import find_allowance
from authserver.tokens.subject import subject_identifier

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
    return _GONE if user is None else {"sub": subject_identifier(client, user.user_id)} | _describe(user, scopes)


def _describe(user: User, scopes: frozenset[str]) -> UserInfo:
    known: UserInfo = {
        "name": user.name or None,
        "updated_at": int((user.profile_changed_at or user.created_at).timestamp()),
        "email": user.email,
        "email_verified": user.email_verified,
        "phone_number": user.phone_number or None,
        # This server verifies no phone numbers.
        "phone_number_verified": False if user.phone_number else None,
        "address": {"formatted": user.address} if user.address else None,
    }
    allowed = allowed_claims(scopes)
    return {name: value for name, value in known.items() if name in allowed and value is not None}
