"""Reads a private key that was made elsewhere (`authserver keys import`)."""

from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from authserver.jose.algorithms import ALGORITHMS, SMALLEST_RSA_BITS, PrivateKey, SigningAlgorithm
from authserver.keyring.errors import NeedsPassphraseError, UnusablePemError
from authserver.protocol.secret import Secret

_PRIVATE_LABEL = b"PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class ReadKey:
    """A private key and its one algorithm."""

    algorithm: SigningAlgorithm
    private_key: PrivateKey = field(repr=False)


def read_pem(pem: bytes, passphrase: Secret | None = None) -> ReadKey:
    """Read the private key in `pem` (PKCS #8, PKCS #1 or SEC 1), if an algorithm of ours fits it.

    Raises `UnusablePemError` with one sentence for the operator. Does NOT check who else has the key.
    """
    if _PRIVATE_LABEL not in pem:
        raise UnusablePemError("not a PEM private key")
    password = None if passphrase is None else passphrase.reveal().encode() or None
    try:
        key = load_pem_private_key(pem, password)
    except TypeError:  # cryptography raises it for a missing passphrase, and for an unnecessary one
        if password is None:
            raise NeedsPassphraseError("the private key needs a passphrase") from None
        raise UnusablePemError("the private key is not encrypted, yet a passphrase was given") from None
    except (ValueError, UnsupportedAlgorithm):
        cause = "damaged, or of an unknown kind" if password is None else "damaged, or the passphrase is wrong"
        raise UnusablePemError(f"the private key is {cause}") from None
    for algorithm in ALGORITHMS:
        if algorithm.fits(key):
            return ReadKey(algorithm, key)  # type: ignore[arg-type]  # what fits is a PrivateKey
    raise UnusablePemError(f"{_say_kind(key)} is refused; use {_SUITABLE}")


_SUITABLE = f"EC P-256, Ed25519, or RSA of {SMALLEST_RSA_BITS} bits or more with exponent 65537"


def _say_kind(key: object) -> str:
    match key:
        case RSAPrivateKey():
            return f"this RSA key of {key.key_size} bits, exponent {key.public_key().public_numbers().e},"
        case EllipticCurvePrivateKey():
            return f"this EC key on {key.curve.name}"
        case _:
            return f"this key ({type(key).__name__.removesuffix('PrivateKey')})"
