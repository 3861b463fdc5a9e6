"""What attack tokens are made with."""

from collections.abc import Callable
from dataclasses import dataclass

from authserver.protocol import base64url
from tests.support.tokens import (
    SigningPair,
    encode,
    make_pair,
    user_claims,
)

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Workshop:
    """The issuer's keys, a key of the attacker's own, and an address where the attacker would see a request."""

    def __init__(self, listener_url: str) -> None:
        self.listener_url = listener_url
        self.es = make_pair("es", "ES256")
        self.other_es = make_pair("other-es", "ES256")
        self.ed = make_pair("ed", "EdDSA")
        self.rs = make_pair("rs", "RS256")
        self.stranger = make_pair("stranger", "ES256")

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
class Attack:
    name: str
    code: str | None
    forge: Callable[[Workshop], object]


def malleate(signature: bytes) -> bytes:
    """(r, s) → (r, n-s): as valid as the original."""
    return signature[:32] + (P256_ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
