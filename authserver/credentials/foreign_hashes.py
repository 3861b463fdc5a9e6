"""The stored formats that passlib does not read: Werkzeug's pbkdf2 and scrypt, Django's scrypt.

One small function each, over hashlib. They verify and never hash; a malformed text raises `ValueError` or
`OverflowError`, which `passwords` turns into "unreadable".
"""

import base64
import hashlib
import hmac
from collections.abc import Callable

Verifier = Callable[[bytes, str], bool]
"""Takes a password in bytes and the stored text; says whether they fit."""

_PBKDF2_DIGESTS = frozenset({"sha1", "sha256", "sha512"})
_SCRYPT_BYTES = 64
_SCRYPT_MEMORY = 256 * 2**20  # 8 times what Werkzeug's and Django's defaults need; more is garbage or an attack


def find_verifier(stored: str) -> Verifier | None:
    """Who reads the format of `stored`; None when it is none of these."""
    return next((verify for prefix, verify in _VERIFIERS.items() if stored.startswith(prefix)), None)


def _verify_werkzeug_pbkdf2(password: bytes, stored: str) -> bool:
    """`pbkdf2:sha256:1000000$salt$hex` (werkzeug.security)."""
    method, salt, digest = stored.split("$")
    _, algorithm, iterations = method.split(":")
    if algorithm not in _PBKDF2_DIGESTS:
        raise ValueError("a digest that Werkzeug's hashes do not use")
    made = hashlib.pbkdf2_hmac(algorithm, password, salt.encode(), int(iterations))
    return hmac.compare_digest(made, bytes.fromhex(digest))


def _verify_werkzeug_scrypt(password: bytes, stored: str) -> bool:
    """`scrypt:32768:8:1$salt$hex` (werkzeug.security)."""
    method, salt, digest = stored.split("$")
    _, n, r, p = method.split(":")
    return hmac.compare_digest(_scrypt(password, salt, int(n), int(r), int(p)), bytes.fromhex(digest))


def _verify_django_scrypt(password: bytes, stored: str) -> bool:
    """`scrypt$16384$salt$8$5$base64` (django.contrib.auth.hashers.ScryptPasswordHasher)."""
    _, n, salt, r, p, digest = stored.split("$")
    made = _scrypt(password, salt, int(n), int(r), int(p))
    return hmac.compare_digest(made, base64.b64decode(digest, validate=True))


def _scrypt(password: bytes, salt: str, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password, salt=salt.encode(), n=n, r=r, p=p, maxmem=_SCRYPT_MEMORY, dklen=_SCRYPT_BYTES)


_VERIFIERS: dict[str, Verifier] = {
    "pbkdf2:": _verify_werkzeug_pbkdf2,
    "scrypt:": _verify_werkzeug_scrypt,
    "scrypt$": _verify_django_scrypt,
}
