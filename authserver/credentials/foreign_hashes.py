"""Verifies the hash formats that passlib does not read: Werkzeug, Django, Keycloak, WordPress, LDAP, ASP.NET Identity.

Each has a small reader, which uses hashlib or bcrypt. They verify and never hash. A malformed text raises `ValueError`,
`LookupError` or `OverflowError`, which `passwords` turns into "unreadable".
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import bcrypt

Verifier = Callable[[bytes, str], bool]
"""Takes a password in bytes and the stored text; returns whether they match."""

_PBKDF2_DIGESTS: Final = {"sha1": 20, "sha256": 32, "sha512": 64}  # bytes
_PBKDF2_LENGTHS: Final = frozenset({32, 64})  # bytes; a shorter digest was truncated
_SALTED: Final = {"{SSHA}": "sha1", "{SSHA256}": "sha256", "{SSHA512}": "sha512"}
_ASPNET_DIGESTS: Final = ("sha1", "sha256", "sha512")
_TRIMMED_BY_PHP: Final = b" \t\n\r\0\x0b"
_SCRYPT_BYTES = 64
_BCRYPT_LENGTH = 60
_SCRYPT_MEMORY = 256 * 2**20  # 8 times what Werkzeug's and Django's defaults need; more is garbage or an attack


class _Stored(Protocol):
    def fits(self, password: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Pbkdf2:
    algorithm: str
    iterations: int
    salt: bytes
    digest: bytes

    def fits(self, password: bytes) -> bool:
        made = hashlib.pbkdf2_hmac(self.algorithm, password, self.salt, self.iterations, len(self.digest))
        return hmac.compare_digest(made, self.digest)


@dataclass(frozen=True, slots=True)
class _Scrypt:
    n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    def fits(self, password: bytes) -> bool:
        made = hashlib.scrypt(
            password, salt=self.salt, n=self.n, r=self.r, p=self.p, maxmem=_SCRYPT_MEMORY, dklen=_SCRYPT_BYTES
        )
        return hmac.compare_digest(made, self.digest)


@dataclass(frozen=True, slots=True)
class _Salted:
    algorithm: str
    salt: bytes
    digest: bytes

    def fits(self, password: bytes) -> bool:
        return hmac.compare_digest(hashlib.new(self.algorithm, password + self.salt).digest(), self.digest)


@dataclass(frozen=True, slots=True)
class _WordPress:
    stored: bytes

    def fits(self, password: bytes) -> bool:
        keyed = hmac.digest(b"wp-sha384", password.strip(_TRIMMED_BY_PHP), "sha384")
        return bcrypt.checkpw(base64.b64encode(keyed), self.stored)


def find_verifier(stored: str) -> Verifier | None:
    """The verifier for the format of `stored`; None if this file does not know the format."""
    read = _find_reader(stored)
    return None if read is None else lambda password, text: read(text).fits(password)


def find_checker(stored: str) -> Callable[[str], object] | None:
    """The parser for `stored`, which raises for a malformed text and hashes nothing; None for an unknown format."""
    return _find_reader(stored)


def _find_reader(stored: str) -> Callable[[str], _Stored] | None:
    return next((read for prefix, read in _READERS.items() if stored.startswith(prefix)), None)


def _read_werkzeug_pbkdf2(stored: str) -> _Pbkdf2:
    """`pbkdf2:sha256:1000000$salt$hex` (werkzeug.security)."""
    method, salt, digest = stored.split("$")
    _, algorithm, iterations = method.split(":")
    made = bytes.fromhex(digest)
    if len(made) != _PBKDF2_DIGESTS.get(algorithm):
        raise ValueError("a digest that Werkzeug's hashes do not use")
    return _Pbkdf2(algorithm, int(iterations), salt.encode(), made)


def _read_werkzeug_scrypt(stored: str) -> _Scrypt:
    """`scrypt:32768:8:1$salt$hex` (werkzeug.security)."""
    method, salt, digest = stored.split("$")
    _, n, r, p = method.split(":")
    return _Scrypt(int(n), int(r), int(p), salt.encode(), bytes.fromhex(digest))


def _read_django_scrypt(stored: str) -> _Scrypt:
    """`scrypt$16384$salt$8$5$base64` (django.contrib.auth.hashers.ScryptPasswordHasher)."""
    _, n, salt, r, p, digest = stored.split("$")
    return _Scrypt(int(n), int(r), int(p), salt.encode(), base64.b64decode(digest, validate=True))


def _read_modular_pbkdf2(stored: str) -> _Pbkdf2:
    """`$pbkdf2-sha256$27500$salt$digest` in passlib's base64 or the usual one; Keycloak's digests have 64 bytes."""
    _, method, iterations, salt, digest = stored.split("$")
    made = _decode_base64(digest)
    if len(made) not in _PBKDF2_LENGTHS:
        raise ValueError("a digest that was cut")
    return _Pbkdf2(method.removeprefix("pbkdf2-"), int(iterations), _decode_base64(salt), made)


def _decode_base64(text: str) -> bytes:
    plain = text.rstrip("=").replace(".", "+")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _read_wordpress(stored: str) -> _WordPress:
    """`$wp$2y$10$…`: bcrypt of a keyed SHA-384 (WordPress 6.8, `wp_hash_password`)."""
    inner = stored.removeprefix("$wp").encode("ascii")
    if len(inner) != _BCRYPT_LENGTH:
        raise ValueError("a bcrypt hash that was cut")
    return _WordPress(inner)


def _read_salted(stored: str) -> _Salted:
    """`{SSHA}base64(digest + salt)` (RFC 2307 as LDAP servers extend it)."""
    name, _, text = stored.partition("}")
    algorithm = _SALTED[name + "}"]
    data, size = base64.b64decode(text, validate=True), hashlib.new(algorithm).digest_size
    if len(data) <= size:
        raise ValueError("a digest without a salt")
    return _Salted(algorithm, data[size:], data[:size])


def _read_aspnet(stored: str) -> _Pbkdf2:
    """Microsoft.AspNetCore.Identity.PasswordHasher: version 2 (0x00) and 3 (0x01, with its own numbers)."""
    data = base64.b64decode(stored, validate=True)
    if data[0] == 0:
        return _Pbkdf2("sha1", 1000, data[1:17], data[17:49])
    algorithm, iterations, salt_length = (int.from_bytes(data[at : at + 4]) for at in (1, 5, 9))
    salt, made = data[13 : 13 + salt_length], data[13 + salt_length :]
    if len(salt) != salt_length or len(made) not in _PBKDF2_LENGTHS:
        raise ValueError("a hash that was cut")
    return _Pbkdf2(_ASPNET_DIGESTS[algorithm], iterations, salt, made)


_READERS: dict[str, Callable[[str], _Stored]] = {
    "$pbkdf2-sha256$": _read_modular_pbkdf2,
    "$pbkdf2-sha512$": _read_modular_pbkdf2,
    "$wp$2y$": _read_wordpress,
    "{SSHA": _read_salted,
    "A": _read_aspnet,  # no other format that begins with this letter has a known cost
    "pbkdf2:": _read_werkzeug_pbkdf2,
    "scrypt:": _read_werkzeug_scrypt,
    "scrypt$": _read_django_scrypt,
}
