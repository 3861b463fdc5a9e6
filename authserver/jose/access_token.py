"""Validates an access token (RFC 9068 §4, contract §1), in the order of design §6.

The order: shape and size, `typ`, algorithm, `kid`, signature, `iss`, `aud`, times, then the other claims and their JSON
types. Each check raises `TokenRejected`, and this file raises nothing else. Does NOT check what only others know:
whether the token, its session, its user's version or its key has been revoked, and whether the presenter of a token
with `cnf` holds the key (RFC 9449).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from authserver.jose.errors import TokenRejected
from authserver.jose.jws import FindKey, check_signature, parse_compact
from authserver.jose.payload import (
    Payload,
    check_issuer,
    find_integer,
    find_text,
    find_texts,
    read_integer,
    read_payload,
    read_text,
    read_texts,
)
from authserver.protocol.claims import ACCESS_TOKEN_TYPE, AccessTokenClaims, ClientToken, UserToken

_TYPES = frozenset({ACCESS_TOKEN_TYPE, f"application/{ACCESS_TOKEN_TYPE}"})
_EMBEDDED_KEYS = frozenset({"jwk", "jku", "x5u", "x5c"})
_USER_CLAIMS = ("sid", "fam", "token_version")
_THUMBPRINT_LENGTH = 43  # SHA-256 in base64url, RFC 9449 §6.1


@dataclass(frozen=True, slots=True)
class Expectation:
    """The requirements of one receiver. Durations are in seconds.

    Attributes:
        issuer: the required `iss`.
        audiences: `aud` must name one of these; None accepts any audience (the issuer checks its own tokens this way).
        leeway: how far ahead of this clock `iat` and `nbf` may lie, because the clocks of two machines differ.
        expiry_leeway: how long after `exp` the token is still accepted; 0 where the clock is the issuer's own.
        longest_lifetime: the largest `exp - iat`.
    """

    issuer: str
    audiences: frozenset[str] | None
    leeway: float
    expiry_leeway: float
    longest_lifetime: float


@dataclass(frozen=True, slots=True)
class SignedClaims:
    """Claims that passed every check, and the `kid` of the key that signed them."""

    claims: AccessTokenClaims
    kid: str


def check_access_token(
    token: object,
    *,
    find_key: FindKey,
    issuer: str,
    audience: str | Collection[str] | None,
    now: float,
    leeway: float,
    longest_lifetime: float,
    expiry_leeway: float = 0.0,
) -> AccessTokenClaims:
    """The claims of `token`, or `TokenRejected`. `now` is in seconds since the epoch; `Expectation` has the rest.

    Does NOT check revocation, nor possession of the key that `cnf` names, nor `aud` where `audience` is None.
    """
    audiences = None if audience is None else frozenset({audience} if isinstance(audience, str) else audience)
    expectation = Expectation(issuer, audiences, leeway, expiry_leeway, longest_lifetime)
    return read_access_token(token, expectation, find_key=find_key, now=now).claims


def read_access_token(token: object, expectation: Expectation, *, find_key: FindKey, now: float) -> SignedClaims:
    """The claims of `token` and the `kid` that signed it, or `TokenRejected`. `now` is in seconds since the epoch."""
    jws = parse_compact(token)
    _check_header(jws.header)
    key = check_signature(jws, find_key)
    payload = read_payload(jws)
    check_issuer(payload, expectation.issuer)
    audience = _check_audience(payload, expectation.audiences)
    issued_at, expires_at = _check_times(payload, expectation, now)
    own = ClientToken(
        iss=expectation.issuer,
        sub=read_text(payload, "sub"),
        aud=audience,
        exp=expires_at,
        iat=issued_at,
        jti=read_text(payload, "jti"),
        client_id=read_text(payload, "client_id"),
        scope=_read_scope(payload),
        jkt=_find_thumbprint(payload),
    )
    return SignedClaims(_read_kind(payload, own), key.kid)


def _check_header(header: Mapping[str, object]) -> None:
    kind = header.get("typ")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenRejected("wrong_type", "typ is not at+jwt")
    if not _EMBEDDED_KEYS.isdisjoint(header):
        raise TokenRejected("malformed", "a key in the header")


def _check_audience(payload: Payload, audiences: frozenset[str] | None) -> tuple[str, ...]:
    audience = payload.get("aud")
    found = (audience,) if isinstance(audience, str) else read_texts(payload, "aud")
    if audiences is not None and audiences.isdisjoint(found):
        raise TokenRejected("wrong_audience", "aud names someone else")
    return found


def _check_times(payload: Payload, expectation: Expectation, now: float) -> tuple[int, int]:
    expires_at, issued_at = read_integer(payload, "exp"), read_integer(payload, "iat")
    valid_from = find_integer(payload, "nbf")
    if now >= expires_at + expectation.expiry_leeway:
        raise TokenRejected("expired", "exp has passed")
    if max(issued_at, valid_from or 0) > now + expectation.leeway:
        raise TokenRejected("not_yet_valid", "iat or nbf lies ahead")
    if not 0 < expires_at - issued_at <= expectation.longest_lifetime:
        raise TokenRejected("invalid_claim", "exp - iat is out of range")
    return issued_at, expires_at


def _read_kind(payload: Payload, own: ClientToken) -> AccessTokenClaims:
    """A user's token names session, family and version; a client's token names none of them, and itself as `sub`."""
    auth_time, acr = find_integer(payload, "auth_time"), find_text(payload, "acr")
    amr, roles = find_texts(payload, "amr"), find_texts(payload, "roles")
    present = [name for name in _USER_CLAIMS if name in payload]
    is_own = own.sub == own.client_id
    if not present and is_own:
        return own
    if len(present) < len(_USER_CLAIMS):
        raise TokenRejected("missing_claim", "sid, fam and token_version go together")
    user = UserToken(
        own.iss,
        own.sub,
        own.aud,
        own.exp,
        own.iat,
        own.jti,
        own.client_id,
        own.scope,
        jkt=own.jkt,
        sid=read_text(payload, "sid"),
        fam=read_text(payload, "fam"),
        token_version=read_integer(payload, "token_version"),
        auth_time=auth_time,
        amr=amr,
        acr=acr,
        roles=roles,
    )
    if is_own:  # RFC 9068 §5: without this, a client could pass for the user of that name
        raise TokenRejected("invalid_claim", "a client with a session")
    if user.token_version < 1:
        raise TokenRejected("invalid_claim", "token_version is below 1")
    return user


def _read_scope(payload: Payload) -> str:
    return "" if payload.get("scope") == "" else read_text(payload, "scope")


def _find_thumbprint(payload: Payload) -> str | None:
    """Find `cnf.jkt`. Any other confirmation is refused: unchecked, the token would pass as a bearer token."""
    if "cnf" not in payload:
        return None
    confirmation = payload["cnf"]
    thumbprint = confirmation.get("jkt") if isinstance(confirmation, dict) and len(confirmation) == 1 else None
    if not isinstance(thumbprint, str) or len(thumbprint) != _THUMBPRINT_LENGTH:
        raise TokenRejected("invalid_claim", "cnf")
    return thumbprint
