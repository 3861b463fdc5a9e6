"""The claims of an access token (RFC 9068 §2.2, contract §1) and of an ID token (OpenID Connect Core §2)."""

from dataclasses import dataclass

ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type, RFC 9068 §2.1


@dataclass(frozen=True, slots=True)
class AccessTokenClaims:
    """What an access token says. Times are seconds since the epoch.

    `sid`, `fam` and `token_version` are None in a client-credentials token, whose `sub` is the client itself;
    a token of a user always has all three.
    """

    iss: str
    sub: str
    aud: tuple[str, ...]
    exp: int
    iat: int
    jti: str
    client_id: str
    scope: str
    sid: str | None = None
    fam: str | None = None
    auth_time: int | None = None
    amr: tuple[str, ...] = ()
    acr: str | None = None
    roles: tuple[str, ...] = ()
    token_version: int | None = None
    jkt: str | None = None

    @property
    def scopes(self) -> frozenset[str]:
        """The scope tokens of `scope` (RFC 6749 §3.3)."""
        return frozenset(self.scope.split())


@dataclass(frozen=True, slots=True)
class IdTokenClaims:
    """What an ID token tells the client that it was made for. Times are seconds since the epoch.

    `nonce` stands in the first one alone; what a refresh gives has the same `iss`, `sub`, `aud` and `auth_time` (OpenID
    Connect Core §12.2).
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
