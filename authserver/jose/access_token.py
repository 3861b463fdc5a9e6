"""What an access token must be (RFC 9068 §4, contract §1), checked in the order of design §6.

Shape and size, `typ`, algorithm, `kid`, signature, `iss`, `aud`, times, then the other claims and their JSON types.
Each check raises `TokenRejected`, and nothing else ever leaves this file. Does NOT check what only others know:
whether the token, its session, its user's version or its key has been revoked, and whether who shows a token with
`cnf` holds the key (RFC 9449).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from authserver.jose import strict_json
from authserver.jose.errors import InvalidJsonError, TokenRejected
from authserver.jose.jws import CompactJws, FindKey, check_signature, parse_compact
from authserver.protocol.claims import ACCESS_TOKEN_TYPE, AccessTokenClaims

_TYPES = frozenset({ACCESS_TOKEN_TYPE, f"application/{ACCESS_TOKEN_TYPE}"})
_EMBEDDED_KEYS = frozenset({"jwk", "jku", "x5u", "x5c"})
_USER_CLAIMS = ("sid", "fam", "token_version")
_THUMBPRINT_LENGTH = 43  # SHA-256 in base64url, RFC 9449 §6.1

_Payload = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one receiver demands: its issuer, any of its audiences, leeway and longest `exp - iat` in seconds."""

    issuer: str
    audiences: frozenset[str]
    leeway: float
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
    audience: str | Collection[str],
    now: float,
    leeway: float,
    longest_lifetime: float,
) -> AccessTokenClaims:
    """The claims of `token`, or `TokenRejected`. `now` is in seconds since the epoch, the durations in seconds.

    Does NOT check revocation, nor possession of the key that `cnf` names.
    """
    audiences = frozenset({audience} if isinstance(audience, str) else audience)
    expectation = Expectation(issuer, audiences, leeway, longest_lifetime)
    return read_access_token(token, expectation, find_key=find_key, now=now).claims


def read_access_token(token: object, expectation: Expectation, *, find_key: FindKey, now: float) -> SignedClaims:
    """As `check_access_token`, for who keeps its `Expectation` and needs the `kid`, too."""
    jws = parse_compact(token)
    _check_header(jws.header)
    key = check_signature(jws, find_key)
    payload = _read_payload(jws)
    _check_issuer(payload, expectation.issuer)
    audience = _check_audience(payload, expectation.audiences)
    issued_at, expires_at = _check_times(payload, expectation, now)
    claims = AccessTokenClaims(
        iss=expectation.issuer,
        sub=_read_text(payload, "sub"),
        aud=audience,
        exp=expires_at,
        iat=issued_at,
        jti=_read_text(payload, "jti"),
        client_id=_read_text(payload, "client_id"),
        scope=_read_scope(payload),
        sid=_find_text(payload, "sid"),
        fam=_find_text(payload, "fam"),
        auth_time=_find_integer(payload, "auth_time"),
        amr=_find_texts(payload, "amr"),
        acr=_find_text(payload, "acr"),
        roles=_find_texts(payload, "roles"),
        token_version=_find_integer(payload, "token_version"),
        jkt=_find_thumbprint(payload),
    )
    _check_kind(payload, claims)
    return SignedClaims(claims, key.kid)


def _check_header(header: Mapping[str, object]) -> None:
    kind = header.get("typ")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenRejected("wrong_type", "typ is not at+jwt")
    if not _EMBEDDED_KEYS.isdisjoint(header):
        raise TokenRejected("malformed", "a key in the header")


def _read_payload(jws: CompactJws) -> _Payload:
    try:
        return strict_json.load_object(jws.payload)
    except InvalidJsonError:
        raise TokenRejected("malformed", "the payload is not strict JSON") from None


def _check_issuer(payload: _Payload, issuer: str) -> None:
    if _read_text(payload, "iss") != issuer:
        raise TokenRejected("wrong_issuer", "iss is not the expected issuer")


def _check_audience(payload: _Payload, audiences: frozenset[str]) -> tuple[str, ...]:
    audience = payload.get("aud")
    found = (audience,) if isinstance(audience, str) else _read_texts(payload, "aud")
    if audiences.isdisjoint(found):
        raise TokenRejected("wrong_audience", "aud names someone else")
    return found


def _check_times(payload: _Payload, expectation: Expectation, now: float) -> tuple[int, int]:
    expires_at, issued_at = _read_integer(payload, "exp"), _read_integer(payload, "iat")
    valid_from = _find_integer(payload, "nbf")
    if now >= expires_at + expectation.leeway:
        raise TokenRejected("expired", "exp has passed")
    if max(issued_at, valid_from or 0) > now + expectation.leeway:
        raise TokenRejected("not_yet_valid", "iat or nbf lies ahead")
    if not 0 < expires_at - issued_at <= expectation.longest_lifetime:
        raise TokenRejected("invalid_claim", "exp - iat is out of range")
    return issued_at, expires_at


def _check_kind(payload: _Payload, claims: AccessTokenClaims) -> None:
    """A user's token names session, family and version; a client's own token names none, and the client as `sub`."""
    present = [name for name in _USER_CLAIMS if name in payload]
    own_token = claims.sub == claims.client_id
    if not present and own_token:
        return
    if len(present) < len(_USER_CLAIMS):
        raise TokenRejected("missing_claim", "sid, fam and token_version go together")
    if own_token:  # RFC 9068 §5: else a client could pass for the user of that name
        raise TokenRejected("invalid_claim", "a client with a session")
    if not claims.token_version:
        raise TokenRejected("invalid_claim", "token_version is below 1")


def _read(payload: _Payload, name: str) -> object:
    if name not in payload:
        raise TokenRejected("missing_claim", name)
    return payload[name]


def _read_text(payload: _Payload, name: str) -> str:
    value = _read(payload, name)
    if not isinstance(value, str) or not value:
        raise TokenRejected("invalid_claim", name)
    return value


def _read_scope(payload: _Payload) -> str:
    return "" if payload.get("scope") == "" else _read_text(payload, "scope")


def _read_integer(payload: _Payload, name: str) -> int:
    value = _read(payload, name)
    if type(value) is not int or value < 0:  # a bool is an int, too
        raise TokenRejected("invalid_claim", name)
    return value


def _read_texts(payload: _Payload, name: str) -> tuple[str, ...]:
    values = _read(payload, name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TokenRejected("invalid_claim", name)
    return tuple(values)


def _find_text(payload: _Payload, name: str) -> str | None:
    return _read_text(payload, name) if name in payload else None


def _find_integer(payload: _Payload, name: str) -> int | None:
    return _read_integer(payload, name) if name in payload else None


def _find_texts(payload: _Payload, name: str) -> tuple[str, ...]:
    return _read_texts(payload, name) if name in payload else ()


def _find_thumbprint(payload: _Payload) -> str | None:
    """`cnf.jkt`. Any other confirmation is refused: nobody here would check it, so it would pass as a bearer token."""
    if "cnf" not in payload:
        return None
    confirmation = payload["cnf"]
    thumbprint = confirmation.get("jkt") if isinstance(confirmation, dict) and len(confirmation) == 1 else None
    if not isinstance(thumbprint, str) or len(thumbprint) != _THUMBPRINT_LENGTH:
        raise TokenRejected("invalid_claim", "cnf")
    return thumbprint
