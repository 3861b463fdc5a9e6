"""JWS in compact form (RFC 7515 §7.1): the strict reader, the signature check, the writer.

A text that this file accepts has only one spelling up to its signature. Its header has no extension that a reader must
understand (`crit`), unpack (`zip`) or read differently (`b64`). No header member supplies a key: `jwk`, `jku`, `x5u`
and `x5c` are ignored, and `kid` only picks one of the caller's keys.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from authserver.jose import strict_json
from authserver.jose.algorithms import find_algorithm
from authserver.jose.errors import InvalidJsonError, TokenRejected
from authserver.jose.jwk import LONGEST_KID, VerificationKey
from authserver.protocol import base64url

LONGEST_TOKEN = 8 * 1024
_SEGMENTS = 3
_MOST_HEADERS = 1024
_NEVER_UNDERSTOOD = frozenset({"crit", "b64", "zip"})  # RFC 7515 §4.1.11, RFC 7797, RFC 7516 §4.1.3

FindKey = Callable[[str], VerificationKey | None]


@dataclass(frozen=True, slots=True)
class CompactJws:
    """The parts of a well-formed token. None of them can be trusted before `check_signature` has returned."""

    header: Mapping[str, object]
    payload: bytes
    signature: bytes
    signing_input: bytes


def parse_compact(token: object) -> CompactJws:
    """The parts of `token`; `TokenRejected("malformed")` for any object that is not a compact JWS.

    Does NOT check `typ`, `alg`, the signature or the payload.
    """
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN:
        raise TokenRejected("malformed", "not a text, or too long")
    segments = token.split(".")
    if len(segments) != _SEGMENTS or not all(segments):
        raise TokenRejected("malformed", "not three segments")
    try:
        members = _read_header(segments[0])
        payload, signature = map(base64url.decode, segments[1:])
    except (ValueError, InvalidJsonError):
        raise TokenRejected("malformed", "a segment cannot be read") from None
    if not _NEVER_UNDERSTOOD.isdisjoint(members):
        raise TokenRejected("malformed", "crit, b64 or zip in the header")
    return CompactJws(members, payload, signature, token[: token.rindex(".")].encode("ascii"))


@lru_cache(maxsize=_MOST_HEADERS)  # all tokens of one issuer's key share a header, and all proofs of one client
def _read_header(segment: str) -> Mapping[str, object]:
    return MappingProxyType(strict_json.load_object(base64url.decode(segment)))


def check_signature(jws: CompactJws, find_key: FindKey) -> VerificationKey:
    """The key that signed `jws`, or `TokenRejected`.

    `alg` must be in the table, and be the one algorithm of the key that `kid` names. Does NOT check the payload. An
    ECDSA signature has two valid spellings, so a deny list must never be keyed on a token's text.
    """
    algorithm = find_algorithm(jws.header.get("alg"))
    if algorithm is None:
        raise TokenRejected("unsupported_algorithm", "alg is not in the table")
    kid = jws.header.get("kid")
    key = find_key(kid) if isinstance(kid, str) and 0 < len(kid) <= LONGEST_KID else None
    if key is None:
        raise TokenRejected("unknown_key", "kid names no key")
    check_signed_by(jws, key)
    return key


def check_signed_by(jws: CompactJws, key: VerificationKey) -> None:
    """Refuse `jws` unless `key` signed it, with the one algorithm of this key. Does NOT look at `kid`."""
    if jws.header.get("alg") != key.algorithm.name:
        raise TokenRejected("unsupported_algorithm", "alg is not the algorithm of the key")
    if not key.algorithm.verify(key.public_key, jws.signing_input, jws.signature):
        raise TokenRejected("bad_signature", "the signature does not fit")
