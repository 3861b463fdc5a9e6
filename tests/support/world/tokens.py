"""Access tokens made by hand: good ones, and any bytes signed by a good key."""

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
"""As the value of a member: leave it out."""

Members = dict[str, object]


@dataclass(frozen=True)
class SigningPair:
    """A key that signs, with what verifies it."""

    kid: str
    algorithm: SigningAlgorithm
    private_key: PrivateKey

    @property
    def verification_key(self) -> VerificationKey:
        return VerificationKey(self.kid, self.algorithm, self.private_key.public_key())

    def sign(self, header: bytes, payload: bytes) -> str:
        """A compact token over exactly these bytes."""
        return self.sign_text(f"{base64url.encode(header)}.{base64url.encode(payload)}")

    def sign_text(self, signing_input: str) -> str:
        signature = self.algorithm.sign(self.private_key, signing_input.encode())
        return f"{signing_input}.{base64url.encode(signature)}"

    def token(self, claims: Mapping[str, object], **header: object) -> str:
        """A token with a good header, changed by `header`."""
        members = {"alg": self.algorithm.name, "kid": self.kid, "typ": "at+jwt", **header}
        return self.sign(encode(members), encode(claims))


def make_pair(kid: str, algorithm_name: str) -> SigningPair:
    """A new key; with RS256 the same one each time."""
    algorithm = find_algorithm(algorithm_name)
    assert algorithm is not None
    return SigningPair(kid, algorithm, rsa_key() if algorithm_name == "RS256" else algorithm.generate())


def jwks(*pairs: SigningPair) -> bytes:
    return encode({"keys": [write_jwk(pair.verification_key) for pair in pairs]})


def encode(members: Mapping[str, object]) -> bytes:
    """JSON without the members that are ABSENT; a `bytes` value stands in it as it is."""
    present = {name: value for name, value in members.items() if value is not ABSENT}
    parts = (
        json.dumps(name).encode() + b":" + (value if isinstance(value, bytes) else json.dumps(value).encode())
        for name, value in present.items()
    )
    return b"{" + b",".join(parts) + b"}"


def user_claims(**changes: object) -> Members:
    """What a good token of a user says, changed by `changes`."""
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
    """What a good client-credentials token says, changed by `changes`."""
    user_only = dict.fromkeys(("sid", "fam", "token_version", "auth_time", "amr", "acr", "roles"), ABSENT)
    return user_claims(**{"sub": "machine-1", "client_id": "machine-1", **user_only, **changes})
