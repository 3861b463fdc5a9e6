"""Access tokens made by hand: valid ones, and arbitrary bytes signed by a valid key."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from authserver.jose.algorithms import PrivateKey, SigningAlgorithm, find_algorithm
from authserver.jose.jwk import VerificationKey, write_jwk
from authserver.protocol import base64url
from tests.support.world.clock import START
from tests.support.world.rsa_keys import rsa_key

ISSUER: Final = "http://127.0.0.1:8000"
AUDIENCE: Final = "http://127.0.0.1:8000/api"
NOW: Final = int(START.timestamp())
LEEWAY: Final = 30
LONGEST_LIFETIME: Final = 3600

ABSENT: Final = object()
"""The value of a member that is to be left out."""

Members = dict[str, object]


@dataclass(frozen=True)
class SigningPair:
    """A private key that signs, and the key to verify it."""

    kid: str
    algorithm: SigningAlgorithm
    private_key: PrivateKey

    @property
    def verification_key(self) -> VerificationKey:
        return VerificationKey(self.kid, self.algorithm, self.private_key.public_key())

    def sign(self, header: bytes, payload: bytes) -> str:
        """Sign exactly these bytes as a compact token."""
        return self.sign_text(f"{base64url.encode(header)}.{base64url.encode(payload)}")

    def sign_text(self, signing_input: str) -> str:
        signature = self.algorithm.sign(self.private_key, signing_input.encode())
        return f"{signing_input}.{base64url.encode(signature)}"

    def token(self, claims: Mapping[str, object], **header: object) -> str:
        """Sign a token whose valid header is changed by `header`."""
        members = {"alg": self.algorithm.name, "kid": self.kid, "typ": "at+jwt", **header}
        return self.sign(encode(members), encode(claims))


def make_pair(kid: str, algorithm_name: str) -> SigningPair:
    """Make a key pair; for RS256, always the same key."""
    algorithm = find_algorithm(algorithm_name)
    assert algorithm is not None
    return SigningPair(kid, algorithm, rsa_key() if algorithm_name == "RS256" else algorithm.generate())


def jwks(*pairs: SigningPair) -> bytes:
    return encode({"keys": [write_jwk(pair.verification_key) for pair in pairs]})


def encode(members: Mapping[str, object]) -> bytes:
    """Encode members as JSON without those that are ABSENT; a `bytes` value is inserted unchanged."""
    present = {name: value for name, value in members.items() if value is not ABSENT}
    parts = (
        json.dumps(name).encode() + b":" + (value if isinstance(value, bytes) else json.dumps(value).encode())
        for name, value in present.items()
    )
    return b"{" + b",".join(parts) + b"}"


def user_claims(**changes: object) -> Members:
    """The claims of a valid token of a user, with `changes`."""
    return {
        "iss": ISSUER,
        "sub": "user-1",
        "aud": AUDIENCE,
        "exp": NOW + 300,
        "iat": NOW,
        "jti": "token-1",
        "client_id": "first-party",
        "scope": "openid read",
        "sid": "session-1",
        "fam": "family-1",
        "auth_time": NOW - 60,
        "amr": ["pwd"],
        "acr": "1",
        "roles": ["editor"],
        "token_version": 3,
        **changes,
    }


def client_claims(**changes: object) -> Members:
    """The claims of a valid client-credentials token, with `changes`."""
    user_only = dict.fromkeys(("sid", "fam", "token_version", "auth_time", "amr", "acr", "roles"), ABSENT)
    return user_claims(**{"sub": "machine-1", "client_id": "machine-1", **user_only, **changes})
