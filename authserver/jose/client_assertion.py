"""Reads the assertion with which a client authenticates: a JWT signed by the client's own key (RFC 7523 §3).

Two steps, because the keys are those of the client that the assertion names: `open_client_assertion` tells whom it
names, and `check_client_assertion` whether that client signed it, for us, now. Each check raises `TokenRejected`, and
this file raises nothing else. Does NOT check whether the assertion was used before: its `jti` is for the caller.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from authserver.jose.algorithms import SigningAlgorithm, find_client_algorithm
from authserver.jose.errors import TokenRejected
from authserver.jose.jwk import LONGEST_KID, VerificationKey
from authserver.jose.jws import CompactJws, check_signed_by, parse_compact
from authserver.jose.payload import Payload, find_integer, read_integer, read_payload, read_text, read_texts
from authserver.protocol import limits

LONGEST_LIFETIME: Final = 3600
"""Seconds from now, or from `iat`, to `exp`. Its use is remembered for as long; Authlib's assertions last this long."""
LEEWAY: Final = limits.LEEWAY // limits.SECOND
"""Seconds by which the clock of a client may be off."""
LONGEST_JTI: Final = 256

# RFC 7523 demands no type. Each type of another purpose is refused (RFC 8725 §3.11).
_TYPES: Final = frozenset({"jwt", "client-authentication+jwt"})
_EMBEDDED_KEYS: Final = frozenset({"jwk", "jku", "x5u", "x5c"})

FindClientKey = Callable[[str | None, SigningAlgorithm], VerificationKey | None]
"""The client's key for a `kid`, or where the assertion has none, its only key for the algorithm."""


@dataclass(frozen=True, slots=True)
class UnprovenAssertion:
    """A well-formed assertion. Nothing in it can be trusted, nor `client_id`, before `check_client_assertion`."""

    client_id: str
    jws: CompactJws = field(repr=False)
    payload: Payload = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientAssertion:
    """A proven assertion, which is good for one use: remember `jti` until `expires_at`, seconds since the epoch.

    It is accepted for `LEEWAY` seconds after its `exp`, and `expires_at` is the end of that.
    """

    client_id: str
    jti: str
    expires_at: int


def open_client_assertion(assertion: object) -> UnprovenAssertion:
    """Read which client `assertion` names (`sub`), or `TokenRejected`. Proves nothing."""
    jws = parse_compact(assertion)
    _check_header(jws)
    payload = read_payload(jws)
    client_id = read_text(payload, "sub")
    if read_text(payload, "iss") != client_id:
        raise TokenRejected("wrong_issuer", "iss is not sub: a client speaks for itself only")
    return UnprovenAssertion(client_id, jws, payload)


def check_client_assertion(
    unproven: UnprovenAssertion, *, find_key: FindClientKey, audiences: frozenset[str], now: float
) -> ClientAssertion:
    """Check signature, `aud`, times and `jti`, or `TokenRejected`. `now` is in seconds since the epoch.

    Every value of `aud` must be one of `audiences`: an assertion that names another server as well could be used by
    whoever runs that one.
    """
    check_signed_by(unproven.jws, _find_key(unproven.jws, find_key))
    payload = unproven.payload
    _check_audience(payload, audiences)
    expires_at = _check_times(payload, now)
    jti = read_text(payload, "jti")
    if len(jti) > LONGEST_JTI:
        raise TokenRejected("invalid_claim", "jti is too long")
    return ClientAssertion(unproven.client_id, jti, expires_at + LEEWAY)


def _check_header(jws: CompactJws) -> None:
    kind = jws.header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
        raise TokenRejected("wrong_type", "typ is of another kind of token")
    if not _EMBEDDED_KEYS.isdisjoint(jws.header):
        raise TokenRejected("malformed", "a key in the header")


def _find_key(jws: CompactJws, find_key: FindClientKey) -> VerificationKey:
    algorithm = find_client_algorithm(jws.header.get("alg"))
    if algorithm is None:
        raise TokenRejected("unsupported_algorithm", "alg is not in the table")
    kid = jws.header.get("kid")
    if "kid" in jws.header and not (isinstance(kid, str) and 0 < len(kid) <= LONGEST_KID):
        raise TokenRejected("unknown_key", "kid is no text, empty or too long")
    key = find_key(kid if isinstance(kid, str) else None, algorithm)
    if key is None:
        raise TokenRejected("unknown_key", "no key of the client, or no kid where it has several")
    return key


def _check_audience(payload: Payload, audiences: frozenset[str]) -> None:
    audience = payload.get("aud")
    named = (audience,) if isinstance(audience, str) else read_texts(payload, "aud")
    if not named or not audiences.issuperset(named):
        raise TokenRejected("wrong_audience", "aud names someone else, too, or nobody")


def _check_times(payload: Payload, now: float) -> int:
    expires_at = read_integer(payload, "exp")
    issued_at, valid_from = find_integer(payload, "iat"), find_integer(payload, "nbf")
    if now >= expires_at + LEEWAY:
        raise TokenRejected("expired", "exp has passed")
    if max(issued_at or 0, valid_from or 0) > now + LEEWAY:
        raise TokenRejected("not_yet_valid", "iat or nbf lies ahead")
    if expires_at > now + LONGEST_LIFETIME + LEEWAY:
        raise TokenRejected("invalid_claim", "exp is too far ahead")
    if issued_at is not None and not 0 < expires_at - issued_at <= LONGEST_LIFETIME:
        raise TokenRejected("invalid_claim", "exp - iat is out of range")
    return expires_at
