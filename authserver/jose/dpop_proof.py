"""Reads DPoP proofs (RFC 9449 §4.3): a JWT, signed for one HTTP request by the key in its own header.

Shared by the server and the verifier. Each check raises `ProofRejected`, and this file raises nothing else. Does NOT
check what the caller knows: whether the proof was used before (`Proof.digest` names it), and whether the access token
is bound to this key (`Proof.jkt`).
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from authserver.jose import strict_json
from authserver.jose.algorithms import ALGORITHMS, find_algorithm
from authserver.jose.errors import InvalidJsonError, InvalidKeyError, ProofRejected, TokenRejected
from authserver.jose.jwk import VerificationKey, read_embedded_jwk
from authserver.jose.jws import CompactJws, parse_compact
from authserver.protocol import base64url
from authserver.protocol.dpop_nonce import NONCE_LIFETIME
from authserver.protocol.dpop_request import DpopRequest
from authserver.protocol.limits import LEEWAY, SECOND

PROOF_LIFETIME = 60
"""Seconds after `iat` in which a proof is accepted."""
PROOF_LEEWAY = LEEWAY // SECOND
"""Seconds by which the clocks of client and server may differ, in both directions."""
SIGNING_ALGORITHMS = tuple(algorithm.name for algorithm in ALGORITHMS)
"""What a proof may be signed with."""

_TYPE = "dpop+jwt"
_OTHER_KEYS = frozenset({"jku", "x5u", "x5c"})
_LONGEST_JTI = 256  # RFC 9449 §11.1
_DIGEST_BYTES = 16
_MOST_KEYS = 1024

FindNonceTime = Callable[[str], int | None]
"""When this server made a nonce, in seconds since the epoch; None for any other text."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof whose signature, request and time are right.

    Attributes:
        jkt: the thumbprint of the key that signed it (RFC 7638).
        digest: names it among all proofs, however long its `jti` is.
        expires_at: no later than this, in seconds since the epoch, it would be accepted again.
    """

    jkt: str
    digest: bytes
    expires_at: int


def read_proof(
    request: DpopRequest,
    *,
    now: float,
    access_token: str | None = None,
    find_nonce_time: FindNonceTime | None = None,
) -> Proof:
    """The proof of `request`, or `ProofRejected`.

    Args:
        request: with a proof; without one, it is refused.
        now: in seconds since the epoch.
        access_token: the token beside the proof, whose hash the proof must hold (`ath`).
        find_nonce_time: demands a nonce of this server. The nonce then dates the proof instead of `iat` (§4.3, check
            11), so the client's clock may be wrong.
    """
    jws = _parse(request.proof)
    key = _read_key((request.proof or "").partition(".")[0])
    if not key.algorithm.verify(key.public_key, jws.signing_input, jws.signature):
        raise ProofRejected("the signature does not fit the key")
    claims = _read_claims(jws)
    if _read_text(claims, "htm") != request.method:
        raise ProofRejected("htm is another method")
    if not request.is_target(_read_text(claims, "htu")):
        raise ProofRejected(f"htu is not {request.url}")
    if access_token is not None and claims.get("ath") != _hash(access_token):
        raise ProofRejected("ath is not the hash of the access token")
    jti = _read_text(claims, "jti")
    if len(jti) > _LONGEST_JTI:
        raise ProofRejected("jti is too long")
    digest = hashlib.sha256(f"{key.kid}.{jti}".encode()).digest()[:_DIGEST_BYTES]
    return Proof(key.kid, digest, _find_end(claims, now, find_nonce_time))


def _parse(proof: str | None) -> CompactJws:
    if proof is None:
        raise ProofRejected("no proof")
    try:
        return parse_compact(proof)
    except TokenRejected as rejected:
        raise ProofRejected(rejected.reason) from None


@lru_cache(maxsize=_MOST_KEYS)  # a client signs all its proofs under one header; reading a key costs half a signature
def _read_key(header: str) -> VerificationKey:
    """The key in the encoded header of a proof."""
    members = strict_json.load_object(base64url.decode(header))
    if members.get("typ") != _TYPE:
        raise ProofRejected(f"typ is not {_TYPE}")
    if not _OTHER_KEYS.isdisjoint(members):
        raise ProofRejected("a key by reference in the header")
    algorithm = find_algorithm(members.get("alg"))
    if algorithm is None:
        raise ProofRejected("alg is not supported")
    try:
        return read_embedded_jwk(members.get("jwk"), algorithm)
    except InvalidKeyError as invalid:
        raise ProofRejected(f"jwk: {invalid}") from None


def _read_claims(jws: CompactJws) -> Mapping[str, object]:
    try:
        return strict_json.load_object(jws.payload)
    except InvalidJsonError:
        raise ProofRejected("the payload is not strict JSON") from None


def _find_end(claims: Mapping[str, object], now: float, find_nonce_time: FindNonceTime | None) -> int:
    """The end of the proof's life; `ProofRejected` if it is over, or has not begun."""
    issued_at = _read_time(claims, "iat")
    if "exp" in claims and now >= _read_time(claims, "exp") + PROOF_LEEWAY:
        raise ProofRejected("exp has passed")
    if "nbf" in claims and now < _read_time(claims, "nbf") - PROOF_LEEWAY:
        raise ProofRejected("nbf lies ahead")
    if find_nonce_time is not None:
        nonce = claims.get("nonce")
        made_at = find_nonce_time(nonce) if isinstance(nonce, str) else None
        if made_at is None:
            raise ProofRejected("nonce is missing, not ours or too old", "use_dpop_nonce")
        return made_at + NONCE_LIFETIME
    if not now - PROOF_LIFETIME - PROOF_LEEWAY < issued_at <= now + PROOF_LEEWAY:
        raise ProofRejected("iat is too far from the time here; is the client's clock right?")
    return math.ceil(issued_at) + PROOF_LIFETIME + PROOF_LEEWAY


def _read_text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise ProofRejected(f"{name} is missing or no text")
    return value


def _read_time(claims: Mapping[str, object], name: str) -> float:
    """A NumericDate, which may have a fraction (RFC 7519 §2)."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProofRejected(f"{name} is missing or no number")
    return value


def _hash(access_token: str) -> str:
    return base64url.encode(hashlib.sha256(access_token.encode("ascii")).digest())
