"""The table of signing algorithms, one row each. No algorithm outside this table signs or verifies.

ES256 is the default; EdDSA (Ed25519 only) and RS256 (3072 bit and more) can be chosen (design §7). A new algorithm is a
new row: discovery, key generation and the verifier's allow-list derive from `ALGORITHMS`. Clients sign their assertions
with one of `CLIENT_ALGORITHMS`, which has PS256 besides.
The key decides which row checks a signature, never the token (RFC 8725 §3.1).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import jwt.algorithms as pyjwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from authserver.jose.ed25519 import has_small_order
from authserver.jose.roca import has_roca_fingerprint

PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey
PublicKey = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

SMALLEST_RSA_BITS = 3072  # ASVS 11.2.3: at least 128 bits of security
LARGEST_RSA_BITS = 8192  # beyond it one verification costs milliseconds: a supplied key could overload us
_SMALLEST_RSA_EXPONENT = 65537
_LARGEST_RSA_EXPONENT_BITS = 32
_ES256_NUMBER_BYTES = 32
_ECDSA_WITH_SHA256 = ECDSA(SHA256())


@dataclass(frozen=True, slots=True)
class SigningAlgorithm:
    """A row of the table. Rows with the same `name` are equal, so that a row can be compared and stored by name.

    `generate()` makes a new private key. `fits(key)` says whether a private or public key of `cryptography` has the
    type, curve, size and exponent that this row demands, and no detectable weakness; it accepts any object. `hash_name`
    is the hash inside the signature, which `at_hash` uses too (OpenID Connect Core §3.1.3.6; Ed25519 uses SHA-512, RFC
    8032 §5.1).
    """

    name: str
    hash_name: str = field(compare=False, repr=False)
    generate: Callable[[], PrivateKey] = field(compare=False, repr=False)
    fits: Callable[[object], bool] = field(compare=False, repr=False)
    _engine: pyjwt.Algorithm = field(compare=False, repr=False)

    def sign(self, private_key: PrivateKey, signing_input: bytes) -> bytes:
        """The JWS signature (RFC 7518 §3) of `signing_input`."""
        return bytes(self._engine.sign(signing_input, private_key))

    def verify(self, public_key: PublicKey, signing_input: bytes, signature: bytes) -> bool:
        """Whether `signature` signs `signing_input` under `public_key`, which must fit this row. Never raises.

        ECDSA signatures have a second valid spelling (s → n-s), so this does NOT make a token's text unique.
        """
        try:
            return self._engine.verify(signing_input, public_key, signature)
        except (InvalidSignature, ValueError):
            return False


class _Es256(pyjwt.ECAlgorithm):
    """PyJWT's ES256 without its conversion through hexadecimal text, which takes a fifth of the time of a signature."""

    def __init__(self) -> None:
        super().__init__(pyjwt.ECAlgorithm.SHA256)

    def sign(self, msg: bytes, key: EllipticCurvePrivateKey) -> bytes:
        """Sign `msg`; return the two numbers of the signature, each in 32 bytes (RFC 7518 §3.4)."""
        numbers = decode_dss_signature(key.sign(msg, _ECDSA_WITH_SHA256))
        return b"".join(number.to_bytes(_ES256_NUMBER_BYTES, "big") for number in numbers)


def _generate_es256() -> PrivateKey:
    return generate_private_key(SECP256R1())


def _fits_es256(key: object) -> bool:
    return isinstance(key, EllipticCurvePrivateKey | EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)


def _fits_eddsa(key: object) -> bool:
    if isinstance(key, Ed25519PrivateKey):
        key = key.public_key()
    return isinstance(key, Ed25519PublicKey) and not has_small_order(key.public_bytes_raw())


def _generate_rs256() -> PrivateKey:
    return generate_rsa_private_key(_SMALLEST_RSA_EXPONENT, SMALLEST_RSA_BITS)


def _fits_rs256(key: object) -> bool:
    if isinstance(key, RSAPrivateKey):
        key = key.public_key()
    if not isinstance(key, RSAPublicKey) or not SMALLEST_RSA_BITS <= key.key_size <= LARGEST_RSA_BITS:
        return False
    numbers = key.public_numbers()
    return (
        numbers.e >= _SMALLEST_RSA_EXPONENT
        and numbers.e % 2 == 1
        and numbers.e.bit_length() <= _LARGEST_RSA_EXPONENT_BITS
        and numbers.n % 2 == 1
        and not has_roca_fingerprint(numbers.n)
    )


ALGORITHMS: tuple[SigningAlgorithm, ...] = (
    SigningAlgorithm("ES256", "sha256", _generate_es256, _fits_es256, _Es256()),
    SigningAlgorithm("EdDSA", "sha512", Ed25519PrivateKey.generate, _fits_eddsa, pyjwt.OKPAlgorithm()),
    SigningAlgorithm("RS256", "sha256", _generate_rs256, _fits_rs256, pyjwt.RSAAlgorithm(pyjwt.RSAAlgorithm.SHA256)),
)
CLIENT_ALGORITHMS: tuple[SigningAlgorithm, ...] = (
    *ALGORITHMS,
    # No key of ours is for it (decision 6); profiles such as FAPI 2.0 tell clients to sign with it.
    SigningAlgorithm(
        "PS256", "sha256", _generate_rs256, _fits_rs256, pyjwt.RSAPSSAlgorithm(pyjwt.RSAPSSAlgorithm.SHA256)
    ),
)
"""What a client may sign its assertions with (RFC 7523)."""

_BY_NAME = {algorithm.name: algorithm for algorithm in ALGORITHMS}
_OF_CLIENTS_BY_NAME = {algorithm.name: algorithm for algorithm in CLIENT_ALGORITHMS}

FindAlgorithm = Callable[[object], SigningAlgorithm | None]


def find_algorithm(name: object) -> SigningAlgorithm | None:
    """The row of `ALGORITHMS` called exactly `name`; None for any other object, of any type."""
    return _BY_NAME.get(name) if isinstance(name, str) else None


def find_client_algorithm(name: object) -> SigningAlgorithm | None:
    """The row of `CLIENT_ALGORITHMS` called exactly `name`; None for any other object, of any type."""
    return _OF_CLIENTS_BY_NAME.get(name) if isinstance(name, str) else None
