"""Public keys on the wire: JWK and JWK Set (RFC 7517, RFC 7518 §6, RFC 8037 §2).

A key that this file accepts verifies with exactly one algorithm. URLs in a JWK (`x5u`) are never fetched, and
certificates (`x5c`) are ignored.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from authserver.jose import strict_json
from authserver.jose.algorithms import LARGEST_RSA_BITS, FindAlgorithm, PublicKey, SigningAlgorithm, find_algorithm
from authserver.jose.errors import InvalidJsonError, InvalidKeyError, InvalidKeySetError
from authserver.protocol import base64url

LONGEST_KID = 256
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_P256_BYTES = 32


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key that checks signatures of one algorithm only (RFC 8725 §3.1)."""

    kid: str
    algorithm: SigningAlgorithm
    public_key: PublicKey

    def __post_init__(self) -> None:
        """Refuse a key that does not fit its algorithm."""
        if not self.algorithm.fits(self.public_key):
            raise InvalidKeyError(f"not a key for {self.algorithm.name}")


def write_jwk(key: VerificationKey) -> dict[str, str]:
    """The public JWK of `key`; `read_jwk` returns the same key."""
    return {**_public_members(key.public_key), "kid": key.kid, "use": "sig", "alg": key.algorithm.name}


def thumbprint(key: PublicKey) -> str:
    """The SHA-256 thumbprint of `key` (RFC 7638 §3, RFC 8037 §2), in base64url."""
    members = json.dumps(_public_members(key), sort_keys=True, separators=(",", ":"))
    return base64url.encode(hashlib.sha256(members.encode("ascii")).digest())


def read_jwk(jwk: object, find: FindAlgorithm = find_algorithm) -> VerificationKey:
    """The key of a parsed JWK, or `InvalidKeyError`.

    Required: a `kid`; no private part; `use`, if present, is `sig`; `key_ops`, if present, contains `verify`; an `alg`
    that `find` knows and that fits the key (only RSA keys must name it). Does NOT check certificates, nor that the key
    is in use.
    """
    if not isinstance(jwk, Mapping):
        raise InvalidKeyError("not an object")
    _refuse_misuse(jwk)
    kid = _read_text(jwk, "kid")
    if not 0 < len(kid) <= LONGEST_KID:
        raise InvalidKeyError("kid is empty or too long")
    read_public_key, only_algorithm = _find_kind(jwk)
    name = _read_text(jwk, "alg") if "alg" in jwk or only_algorithm is None else only_algorithm
    algorithm = find(name)
    if algorithm is None:
        raise InvalidKeyError("alg is not supported")
    return VerificationKey(kid, algorithm, _read_public_key(read_public_key, jwk))


def read_embedded_jwk(jwk: object, algorithm: SigningAlgorithm) -> VerificationKey:
    """The key of a JWK in the header of a JWS that it has to check with `algorithm` (RFC 9449 §4.2).

    Its `kid` is its thumbprint, whatever the JWK says. `InvalidKeyError` for a private or symmetric key, for a key that
    does not fit `algorithm`, and for one that may not verify. Such a key proves nothing about its owner.
    """
    if not isinstance(jwk, Mapping):
        raise InvalidKeyError("not an object")
    _refuse_misuse(jwk)
    read_public_key, only_algorithm = _find_kind(jwk)
    if jwk.get("alg", algorithm.name) != algorithm.name or (only_algorithm or algorithm.name) != algorithm.name:
        raise InvalidKeyError("alg is not the algorithm of the key")
    public_key = _read_public_key(read_public_key, jwk)
    return VerificationKey(thumbprint(public_key), algorithm, public_key)


def read_jwks(text: bytes, find: FindAlgorithm = find_algorithm) -> dict[str, VerificationKey]:
    """The usable keys of a JWK Set by `kid`; other entries are left out (RFC 7517 §5). The result may be empty.

    An entry with private parts is left out, too: refusing the whole set would keep the earlier copy in force, with the
    key that has just leaked. Two entries with one `kid` are ambiguous, and the set is refused (`InvalidKeySetError`).
    The caller must limit the size of `text`.
    """
    usable = (_find_usable(entry, find) for entry in read_entries(text))
    return {key.kid: key for key in usable if key is not None}


def read_entries(text: bytes) -> list[object]:
    """The entries of a JWK Set, unread; `InvalidKeySetError` for anything else, and where two have one `kid`."""
    try:
        entries = strict_json.load_object(text).get("keys")
    except InvalidJsonError as error:
        raise InvalidKeySetError("not a JSON object") from error
    if not isinstance(entries, list):
        raise InvalidKeySetError("no array `keys`")
    kids = [entry["kid"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("kid"), str)]
    if len(set(kids)) != len(kids):
        raise InvalidKeySetError("two keys with one kid")
    return entries


def _read_public_key(read: Callable[[Mapping[object, object]], PublicKey], jwk: Mapping[object, object]) -> PublicKey:
    try:
        return read(jwk)
    except ValueError:
        raise InvalidKeyError("key parameters are out of range") from None


def _find_usable(entry: object, find: FindAlgorithm) -> VerificationKey | None:
    try:
        return read_jwk(entry, find)
    except InvalidKeyError:
        return None


def _refuse_misuse(jwk: Mapping[object, object]) -> None:
    if not _PRIVATE_MEMBERS.isdisjoint(jwk):
        raise InvalidKeyError("private or symmetric key material")
    if jwk.get("use", "sig") != "sig":
        raise InvalidKeyError("use is not sig")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise InvalidKeyError("key_ops without verify")


def _read_text(jwk: Mapping[object, object], member: str) -> str:
    value = jwk.get(member)
    if not isinstance(value, str):
        raise InvalidKeyError(f"{member} is not a string")
    return value


def _read_bytes(jwk: Mapping[object, object], member: str) -> bytes:
    return base64url.decode(_read_text(jwk, member))


def _read_integer(jwk: Mapping[object, object], member: str) -> int:
    data = _read_bytes(jwk, member)
    if not data or data[0] == 0 or len(data) > LARGEST_RSA_BITS // 8:  # RFC 7518 §2, Base64urlUInt: no leading zero
        raise ValueError(member)
    return int.from_bytes(data, "big")


def _read_p256(jwk: Mapping[object, object]) -> PublicKey:
    x, y = _read_bytes(jwk, "x"), _read_bytes(jwk, "y")
    if len(x) != _P256_BYTES or len(y) != _P256_BYTES:  # RFC 7518 §6.2.1.2: full length, always
        raise ValueError("coordinate")
    # `public_key` refuses points that are not on the curve
    return EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), SECP256R1()).public_key()


def _read_ed25519(jwk: Mapping[object, object]) -> PublicKey:
    return Ed25519PublicKey.from_public_bytes(_read_bytes(jwk, "x"))


def _read_rsa(jwk: Mapping[object, object]) -> PublicKey:
    return RSAPublicNumbers(_read_integer(jwk, "e"), _read_integer(jwk, "n")).public_key()


_KINDS: dict[tuple[object, object], tuple[Callable[[Mapping[object, object]], PublicKey], str | None]] = {
    ("EC", "P-256"): (_read_p256, "ES256"),
    ("OKP", "Ed25519"): (_read_ed25519, "EdDSA"),
    ("RSA", None): (_read_rsa, None),  # RS256 or PS256: the key alone does not tell
}


def _find_kind(jwk: Mapping[object, object]) -> tuple[Callable[[Mapping[object, object]], PublicKey], str | None]:
    curve = None if jwk.get("kty") == "RSA" else _read_text(jwk, "crv")
    kind = _KINDS.get((_read_text(jwk, "kty"), curve))
    if kind is None:
        raise InvalidKeyError("kty or crv is not supported")
    return kind


def _public_members(key: PublicKey) -> dict[str, str]:
    match key:
        case EllipticCurvePublicKey():
            point = key.public_numbers()
            x, y = (base64url.encode(number.to_bytes(_P256_BYTES, "big")) for number in (point.x, point.y))
            return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        case Ed25519PublicKey():
            return {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(key.public_bytes_raw())}
        case _:
            numbers = key.public_numbers()
            return {"kty": "RSA", "n": _write_integer(numbers.n), "e": _write_integer(numbers.e)}


def _write_integer(number: int) -> str:
    return base64url.encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
