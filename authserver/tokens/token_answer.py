"""Issues the tokens that a sign-in, a refresh or a code exchange answers (contract §2)."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from authserver.keyring.issuer import hash_access_token, issue_access_token, issue_id_token
from authserver.keyring.keys import MacKey
from authserver.protocol.claims import IdTokenClaims, UserToken
from authserver.protocol.entropy import new_id
from authserver.protocol.refresh_token import RefreshToken, format_refresh_token
from authserver.realm.realm import Realm
from authserver.records.client import Client
from authserver.records.family import GrantedAccess
from authserver.records.pseudonym import device_identifier, session_identifier, subject_identifier
from authserver.sessions.scope import OPENID_SCOPE, effective_audience, effective_scope
from authserver.storage import users
from authserver.tokens.allowance import find_allowance
from authserver.tokens.disclosure import choose_id_token_claims, describe_user, map_claims


@dataclass(frozen=True, slots=True)
class AccessAnswer:
    """An access token and, with the scope `openid`, an ID token. Lifetimes are in seconds.

    `device_token` is set if the user has just given their password.
    """

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int
    scope: str
    sid: str
    device_id: str
    id_token: str | None = field(default=None, repr=False, kw_only=True)
    device_token: str | None = field(default=None, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class TokenAnswer(AccessAnswer):
    """An access token with a refresh token."""

    refresh_token: str = field(repr=False)
    refresh_expires_in: int


@dataclass(frozen=True, slots=True)
class RestingAnswer(TokenAnswer):
    """A token answer of a resting family: its refresh token is the presented one and need not be stored again."""


Answer = TypeVar("Answer", bound=AccessAnswer)


@dataclass(frozen=True, slots=True)
class Holding:
    """A family at one generation, and its user as of now. The whole answer is derived from it."""

    family_id: bytes
    generation: int
    mac_key: MacKey
    granted: GrantedAccess
    refresh_ends_at: datetime
    token_version: int
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """The part of the granted access that a request asks for; None asks for all of it. It does not narrow the family.

    `scope`: RFC 6749 §6; `audience`: RFC 8707 §2.2. NOT checked here: that both lie within what was granted and what
    the client may still have; the caller has done so.
    """

    scope: frozenset[str] | None = None
    audience: tuple[str, ...] | None = None


ALL_THAT_WAS_GRANTED = Narrowing()


@dataclass(frozen=True, slots=True)
class OpenIdRequest:
    """What the authorization request asked of the first ID token: its nonce, and claims by name."""

    nonce: str | None = None
    claims: frozenset[str] = frozenset()


NOTHING_ASKED = OpenIdRequest()


def issue_tokens(
    realm: Realm,
    holding: Holding,
    client: Client,
    *,
    now: datetime,
    narrowing: Narrowing = ALL_THAT_WAS_GRANTED,
    openid: OpenIdRequest = NOTHING_ASKED,
    jkt: str | None = None,
    shape: type[TokenAnswer] = TokenAnswer,
) -> TokenAnswer:
    """Sign an access token and, if due, an ID token, and derive the refresh-token string, all in memory.

    Read `now` before the statement that returned `holding`, so that no token is younger than the state that it
    describes. `client` is the client of the family. The access token is bound to the key `jkt`, if there is one (RFC
    9449 §6).
    """
    refresh_token = RefreshToken(holding.mac_key.kid, holding.family_id, holding.generation)
    with_refresh_token = partial(
        shape,
        refresh_token=format_refresh_token(refresh_token, holding.mac_key.secret),
        refresh_expires_in=int((holding.refresh_ends_at - now).total_seconds()),
    )
    return _issue(realm, holding, client, now, narrowing, openid, jkt, with_refresh_token)


def issue_access(
    realm: Realm,
    holding: Holding,
    client: Client,
    *,
    now: datetime,
    narrowing: Narrowing = ALL_THAT_WAS_GRANTED,
    openid: OpenIdRequest = NOTHING_ASKED,
    jkt: str | None = None,
) -> AccessAnswer:
    """Sign an access token and, if due, an ID token, for a family without offline access (no refresh token)."""
    return _issue(realm, holding, client, now, narrowing, openid, jkt, AccessAnswer)


def _claim(
    realm: Realm, holding: Holding, client: Client, now: datetime, narrowing: Narrowing, jkt: str | None
) -> UserToken:
    granted, allowance = holding.granted, find_allowance(realm, client)
    lifetime = int(realm.lifetimes.of_client(client).access_token_lifetime.total_seconds())
    issued_at = int(now.timestamp())
    # No token outlives its family, which ends no later than its session. Rounded up: see `absolute_end`.
    expires_at = min(issued_at + lifetime, math.ceil(holding.refresh_ends_at.timestamp()))
    return UserToken(
        iss=realm.issuer,
        sub=subject_identifier(client, granted.user_id),
        aud=effective_audience(granted.audience, narrowing.audience, allowance),
        exp=expires_at,
        iat=issued_at,
        jti=new_id(realm.entropy),
        client_id=granted.client_id,
        scope=effective_scope(granted.scope, narrowing.scope, allowance, holding.roles),
        sid=session_identifier(client, granted.sid),
        fam=granted.fam,
        auth_time=int(granted.auth_time.timestamp()),
        amr=granted.amr,
        acr=granted.acr,
        roles=holding.roles,
        token_version=holding.token_version,
        jkt=jkt,
    )


def _issue(
    realm: Realm,
    holding: Holding,
    client: Client,
    now: datetime,
    narrowing: Narrowing,
    openid: OpenIdRequest,
    jkt: str | None,
    answer: Callable[..., Answer],
) -> Answer:
    claims, key = _claim(realm, holding, client, now, narrowing, jkt), realm.keyring.current.signing_key
    access_token = issue_access_token(key, claims, map_claims(client, holding.roles))
    is_openid = OPENID_SCOPE in claims.scope.split()
    return answer(
        access_token=access_token,
        token_type="Bearer" if jkt is None else "DPoP",
        expires_in=claims.exp - claims.iat,
        scope=claims.scope,
        sid=claims.sid,
        device_id=device_identifier(client, holding.granted.device_id),
        id_token=_issue_id_token(realm, holding, client, claims, access_token, openid) if is_openid else None,
    )


def _issue_id_token(
    realm: Realm, holding: Holding, client: Client, access: UserToken, access_token: str, openid: OpenIdRequest
) -> str:
    key = realm.keyring.load_client_key(client.id_token_signed_response_alg)
    claims = IdTokenClaims(
        iss=access.iss,
        sub=access.sub,
        aud=client.client_id,
        exp=access.exp,
        iat=access.iat,
        auth_time=access.auth_time or 0,
        amr=access.amr,
        acr=access.acr or "",
        sid=access.sid,
        at_hash=hash_access_token(key.algorithm, access_token),
        nonce=openid.nonce,
    )
    wanted = choose_id_token_claims(client, access.scopes, openid.claims)
    about_user = _describe_user(realm, holding.granted.user_id, wanted) if wanted else {}
    return issue_id_token(key, claims, {**map_claims(client, holding.roles), **about_user})


def _describe_user(realm: Realm, user_id: str, claims: frozenset[str]) -> dict[str, object]:
    """Read the user: only for clients that want to know in the ID token. No other refresh pays for it."""
    with realm.database.read() as tx:
        user = users.find(tx, user_id)
    return {} if user is None else describe_user(user, claims)
