"""What attack tokens are made with: fixed keys and signatures that come out the same each time."""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from jwt import PyJWK

from authserver.jose.algorithms import find_algorithm
from authserver.protocol import base64url
from tests.support.world.tokens import ABSENT, SigningPair, encode, user_claims

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


PRIVATE_KEYS: Final = Path(__file__).with_name("private_keys_for_tests_only.json")
LISTENER: Final = "http://127.0.0.1:9"
"""Where the attacker would see a request. Nobody listens there: tests watch who tries."""


class FixedPair(SigningPair):
    """A pair whose signatures depend on key and text alone, also those of ES256 (RFC 6979)."""

    def sign_text(self, signing_input: str) -> str:
        if not isinstance(self.private_key, EllipticCurvePrivateKey):
            return super().sign_text(signing_input)
        der = self.private_key.sign(signing_input.encode(), ECDSA(SHA256(), deterministic_signing=True))
        signature = b"".join(half.to_bytes(32, "big") for half in decode_dss_signature(der))
        return f"{signing_input}.{base64url.encode(signature)}"


def _load_pair(jwk: dict[str, Any]) -> FixedPair:
    algorithm = find_algorithm(jwk["alg"])
    assert algorithm is not None
    return FixedPair(jwk["kid"], algorithm, PyJWK(jwk).key)


class Workshop:
    """The issuer's keys, and one of the attacker's own."""

    def __init__(self) -> None:
        keys = json.loads(PRIVATE_KEYS.read_text(encoding="utf-8"))["keys"]
        self.es, self.other_es, self.ed, self.rs, self.stranger = (_load_pair(jwk) for jwk in keys)

    @property
    def issuer_pairs(self) -> tuple[SigningPair, ...]:
        return (self.es, self.other_es, self.ed, self.rs)

    def pair(self, kid: str) -> SigningPair:
        return next(pair for pair in self.issuer_pairs if pair.kid == kid)

    def good_token(self, kid: str = "es") -> str:
        return self.pair(kid).token(user_claims())

    def with_header(self, /, **header: object) -> str:
        return self.es.token(user_claims(), **header)

    def with_claims(self, /, **claims: object) -> str:
        return self.es.token(user_claims(**claims))

    def with_header_bytes(self, header: bytes) -> str:
        return self.es.sign(header, encode(user_claims()))

    def with_payload(self, payload: bytes) -> str:
        return self.es.sign(self.header(), payload)

    def header(self, **header: object) -> bytes:
        return encode({"alg": "ES256", "kid": "es", "typ": "at+jwt", **header})

    def with_signature(self, kid: str, forge: Callable[[bytes], bytes]) -> str:
        """A token whose good signature by the key `kid` was put through `forge`."""
        signing_input, _, signature = self.pair(kid).token(user_claims()).rpartition(".")
        return f"{signing_input}.{base64url.encode(forge(base64url.decode(signature)))}"


@dataclass(frozen=True)
class Repeated:
    """A token that is too long to write down."""

    text: str
    times: int


@dataclass(frozen=True)
class Attack:
    name: str
    code: str | None
    forge: Callable[[Workshop], object]


def malleate(signature: bytes) -> bytes:
    """(r, s) → (r, n-s): as valid as the original."""
    return signature[:32] + (P256_ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")


def spell(value: object) -> str:
    """A value as the names of vectors have it."""
    if value is ABSENT:
        return "absent"
    return value.decode("latin-1") if isinstance(value, bytes) else json.dumps(value)


def pack_spaces(number: int) -> bytes:
    """Spaces, packed by RFC 1950 and 1951 into a hundredth; by hand, because libraries differ in what they write."""
    copies, rest = divmod(number - 1, 258)
    bits = "110" + "01010000"  # last block, fixed codes; one space
    bits += ("11000101" + "00000") * copies  # 258 bytes, from one byte back
    bits += "01010000" * rest + "0000000"  # the end
    octets = (bits[at : at + 8].ljust(8, "0")[::-1] for at in range(0, len(bits), 8))
    packed = bytes(int(octet, 2) for octet in octets)
    return b"\x78\x01" + packed + zlib.adler32(b" " * number).to_bytes(4, "big")
