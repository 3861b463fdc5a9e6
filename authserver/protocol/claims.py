"""The claims of access tokens (RFC 9068 §2.2, contract §1), ID tokens (OpenID Connect Core §2) and logout tokens."""

from dataclasses import dataclass, field
from typing import TypeAlias

ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type, RFC 9068 §2.1
LOGOUT_TOKEN_TYPE = "logout+jwt"  # noqa: S105 - a media type, Back-Channel Logout §2.4
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
"""The member of `events` that makes a token a logout token (Back-Channel Logout §2.4)."""


@dataclass(frozen=True, slots=True)
class _Token:
    """The claims of every access token. Times are seconds since the epoch; `jkt` is the thumbprint of a bound key."""

    iss: str
    sub: str
    aud: tuple[str, ...]
    exp: int
    iat: int
    jti: str
    client_id: str
    scope: str
    jkt: str | None = field(default=None, kw_only=True)

    @property
    def scopes(self) -> frozenset[str]:
        """The scope tokens of `scope` (RFC 6749 §3.3)."""
        return frozenset(self.scope.split())


@dataclass(frozen=True, slots=True)
class ClientToken(_Token):
    """The access token of a client itself (client credentials grant): `sub` is the client, and there is no session."""


@dataclass(frozen=True, slots=True)
class UserToken(_Token):
    """The access token of a user, from the refresh token family `fam` in the session `sid`, at a `token_version`."""

    sid: str
    fam: str
    token_version: int
    auth_time: int | None = None
    amr: tuple[str, ...] = ()
    acr: str | None = None
    roles: tuple[str, ...] = ()


AccessTokenClaims: TypeAlias = UserToken | ClientToken
"""The claims of an access token of either kind."""


@dataclass(frozen=True, slots=True)
class IdTokenClaims:
    """The claims of an ID token. Times are seconds since the epoch.

    Only the first ID token carries `nonce`. One that comes from a refresh keeps `iss`, `sub`, `aud` and `auth_time`
    (OpenID Connect Core §12.2).
    """

    iss: str
    sub: str
    aud: str
    exp: int
    iat: int
    auth_time: int
    amr: tuple[str, ...]
    acr: str
    sid: str
    at_hash: str
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class LogoutTokenClaims:
    """The claims of a logout token (Back-Channel Logout §2.4): `aud` is told that the session `sid` of `sub` has ended.

    Times are seconds since the epoch. `events` is written with them; `nonce` must not be, so that no logout token
    passes for an ID token.
    """

    iss: str
    sub: str
    aud: str
    iat: int
    exp: int
    jti: str
    sid: str
