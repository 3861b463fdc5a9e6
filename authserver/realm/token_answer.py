"""Handing out tokens: what a sign-in, a refresh or a code exchange answers (contract §2)."""

from dataclasses import dataclass, field
from datetime import datetime

from authserver.keyring.issuer import issue_access_token
from authserver.keyring.keys import MacKey
from authserver.protocol.claims import AccessTokenClaims
from authserver.protocol.entropy import new_id
from authserver.protocol.refresh_token import RefreshToken, format_refresh_token
from authserver.realm.realm import Realm
from authserver.sessions.family import Grant
from authserver.sessions.scope import effective_scope


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """An access token and the refresh token beside it. Lifetimes are seconds."""

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int
    refresh_token: str = field(repr=False)
    refresh_expires_in: int
    scope: str
    sid: str
    device_id: str


@dataclass(frozen=True, slots=True)
class Holding:
    """A family at one generation, with its user as of now: all that an answer is derived from."""

    family_id: bytes
    generation: int
    mac_key: MacKey
    grant: Grant
    refresh_ends_at: datetime
    token_version: int
    roles: tuple[str, ...]


def issue_tokens(realm: Realm, holding: Holding, *, now: datetime, scope: frozenset[str] | None = None) -> TokenAnswer:
    """Sign an access token and derive the refresh-token string, in memory.

    `now` was read before the statement that `holding` comes from, so that no token is younger than the state it
    speaks of. `scope` is what the request asked for, within what was granted; None asks for all of it.
    """
    grant = holding.grant
    lifetime = int(realm.lifetimes.access_token_lifetime.total_seconds())
    issued_at = int(now.timestamp())
    carried = effective_scope(grant.scope, scope, holding.roles)
    claims = AccessTokenClaims(
        iss=realm.issuer,
        sub=grant.user_id,
        aud=grant.audience,
        exp=issued_at + lifetime,
        iat=issued_at,
        jti=new_id(realm.entropy),
        client_id=grant.client_id,
        scope=carried,
        sid=grant.sid,
        fam=grant.fam,
        auth_time=int(grant.auth_time.timestamp()),
        amr=grant.amr,
        acr=grant.acr,
        roles=holding.roles,
        token_version=holding.token_version,
    )
    refresh_token = RefreshToken(holding.mac_key.kid, holding.family_id, holding.generation)
    return TokenAnswer(
        access_token=issue_access_token(realm.keyring.current.signing_key, claims),
        token_type="Bearer",  # noqa: S106 - RFC 6750 §6.1.1
        expires_in=lifetime,
        refresh_token=format_refresh_token(refresh_token, holding.mac_key.secret),
        refresh_expires_in=int((holding.refresh_ends_at - now).total_seconds()),
        scope=carried,
        sid=grant.sid,
        device_id=grant.device_id,
    )
