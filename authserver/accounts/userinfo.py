"""What a client is told about the user who let it ask (OpenID Connect Core §5.3), as of now."""

from dataclasses import dataclass
from typing import Final

from authserver.accounts.bearer import Bearer, BearerRefused, authenticate_bearer_of_any_client
from authserver.protocol.user_claims import allowed_claims
from authserver.realm import Realm, name_subject
from authserver.sessions.scope import OPENID_SCOPE
from authserver.storage import users
from authserver.storage.users import User

UserInfo = dict[str, object]
_GONE: Final = BearerRefused("session_revoked", soft_logout=False, reason="user or client gone")


@dataclass(frozen=True, slots=True)
class ScopeMissing:
    """The token is good, and nobody allowed it this."""

    scope: str


def tell_about_user(realm: Realm, token: str) -> UserInfo | ScopeMissing | BearerRefused:
    """The claims that the token's scope allows. What the user has not told is left out (§5.3.2)."""
    bearer = authenticate_bearer_of_any_client(realm, token)
    if isinstance(bearer, BearerRefused):
        return bearer
    if OPENID_SCOPE not in bearer.claims.scopes:
        return ScopeMissing(OPENID_SCOPE)
    client = realm.clients.find(bearer.claims.client_id)
    with realm.database.read() as tx:
        user = users.find(tx, bearer.user_id)
    if user is None or client is None:
        return _GONE
    return {"sub": name_subject(client, user.user_id)} | _tell(user, bearer)


def _tell(user: User, bearer: Bearer) -> UserInfo:
    known: UserInfo = {
        "name": user.name or None,
        "updated_at": int((user.profile_changed_at or user.created_at).timestamp()),
        "email": user.email,
        "email_verified": user.email_verified,
        "phone_number": user.phone_number or None,
        # Nobody has ever called it.
        "phone_number_verified": False if user.phone_number else None,
        "address": {"formatted": user.address} if user.address else None,
    }
    allowed = allowed_claims(bearer.claims.scopes)
    return {name: value for name, value in known.items() if name in allowed and value is not None}
