"""The stored formats that passlib does not read: Werkzeug's pbkdf2 and scrypt, Django's scrypt.

One small reader each, and hashlib. They verify and never hash; a malformed text raises `ValueError` or `OverflowError`,
which `passwords` turns into "unreadable".
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

Verifier = Callable[[bytes, str], bool]
"""Takes a password in bytes and the stored text; says whether they fit."""

_PBKDF2_DIGESTS = frozenset({"sha1", "sha256", "sha512"})
_SCRYPT_BYTES = 64
_SCRYPT_MEMORY = 256 * 2**20  # 8 times what Werkzeug's and Django's defaults need; more is garbage or an attack


@dataclass(frozen=True, slots=True)
class _Pbkdf2:
    algorithm: str
    iterations: int
    salt: bytes
    digest: bytes

    def fits(self, password: bytes) -> bool:
        made = hashlib.pbkdf2_hmac(self.algorithm, password, self.salt, self.iterations)
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


def find_verifier(stored: str) -> Verifier | None:
    """Who reads the format of `stored`; None when it is none of these."""
    read = _find_reader(stored)
    return None if read is None else lambda password, text: read(text).fits(password)


def find_checker(stored: str) -> Callable[[str], object] | None:
    """Who reads `stored` without hashing anything, raising what a malformed text raises; None as above."""
    return _find_reader(stored)


def _find_reader(stored: str) -> Callable[[str], _Pbkdf2 | _Scrypt] | None:
    return next((read for prefix, read in _READERS.items() if stored.startswith(prefix)), None)


def _read_werkzeug_pbkdf2(stored: str) -> _Pbkdf2:
    """`pbkdf2:sha256:1000000$salt$hex` (werkzeug.security)."""
    method, salt, digest = stored.split("$")
    _, algorithm, iterations = method.split(":")
    if algorithm not in _PBKDF2_DIGESTS:
        raise ValueError("a digest that Werkzeug's hashes do not use")
    return _Pbkdf2(algorithm, int(iterations), salt.encode(), bytes.fromhex(digest))


def _read_werkzeug_scrypt(stored: str) -> _Scrypt:
    """`scrypt:32768:8:1$salt$hex` (werkzeug.security)."""
    method, salt, digest = stored.split("$")
    _, n, r, p = method.split(":")
    return _Scrypt(int(n), int(r), int(p), salt.encode(), bytes.fromhex(digest))


def _read_django_scrypt(stored: str) -> _Scrypt:
    """`scrypt$16384$salt$8$5$base64` (django.contrib.auth.hashers.ScryptPasswordHasher)."""
    _, n, salt, r, p, digest = stored.split("$")
    return _Scrypt(int(n), int(r), int(p), salt.encode(), base64.b64decode(digest, validate=True))


_READERS: dict[str, Callable[[str], _Pbkdf2 | _Scrypt]] = {
    "pbkdf2:": _read_werkzeug_pbkdf2,
    "scrypt:": _read_werkzeug_scrypt,
    "scrypt$": _read_django_scrypt,
}
