"""Hashing and verifying passwords.

New hashes are always argon2id. Hashes of other systems can be verified, too, so that their users keep their passwords:
argon2, bcrypt, bcrypt_sha256, phpass, scrypt, pbkdf2, sha512_crypt, and the formats of Django, Werkzeug, Keycloak,
WordPress, LDAP ({SSHA}) and ASP.NET Identity.
Decides only whether a password matches a hash and whether the hash is still strong enough; it stores nothing. Hashing
is slow on purpose, so callers use `hashing_pool`.
"""

from dataclasses import dataclass
from typing import Final, final

import argon2
from passlib.context import CryptContext
from passlib.registry import get_crypt_handler

from authserver.credentials import foreign_hashes
from authserver.credentials.hash_cost import find_cost_problem
from authserver.protocol.secret import Secret

_BCRYPT_BYTES = 72
_BCRYPT_SCHEMES = frozenset({"bcrypt", "django_bcrypt"})  # not the sha256 variants, which apply SHA-256 first
_SCHEMES = (
    "argon2",
    "bcrypt",
    "bcrypt_sha256",
    "phpass",
    "scrypt",
    "pbkdf2_sha256",
    "pbkdf2_sha512",
    "sha512_crypt",
    "django_argon2",
    "django_bcrypt",
    "django_bcrypt_sha256",
    "django_pbkdf2_sha256",
)
# The exceptions of parsers for a stored text that is not a hash. passlib raises an IndexError for "$P$", and warns of
# doubtful parameters, which strict filters turn into an exception; numbers too large for C give an OverflowError.
_GARBAGE = (ValueError, LookupError, TypeError, ArithmeticError, Warning)


@dataclass(frozen=True, slots=True, kw_only=True)
class HashProfile:
    """The cost of one argon2id hash (RFC 9106).

    Attributes:
        memory_kib: memory in KiB.
        passes: the number of passes over that memory.
        lanes: the number of threads that could share the work; with one, a hash uses one core.
    """

    memory_kib: int
    passes: int
    lanes: int


RECOMMENDED: Final = HashProfile(memory_kib=19 * 1024, passes=2, lanes=1)
"""OWASP's minimum (Password Storage Cheat Sheet; ASVS 11.4.2): 19 MiB, 2 passes, 1 lane."""

CHEAP: Final = HashProfile(memory_kib=64, passes=1, lanes=1)
"""A profile for tests, which make thousands of hashes that protect nobody."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of comparing a password with a stored hash.

    Attributes:
        matches: whether the password is the one that was hashed.
        outdated: whether the hash is weaker than argon2id with the profile's parameters: replace it if `matches`.
        unreadable: whether the stored text is not a known hash. It matches nothing; the log should say so.
    """

    matches: bool
    outdated: bool
    unreadable: bool = False


@final
class PasswordHasher:
    """Hashes with one profile, and verifies every known format. Thread-safe.

    Passwords must come from `normalise_password`; they are hashed as UTF-8.
    """

    __slots__ = ("_context", "_dummy", "_profile")

    def __init__(self, profile: HashProfile = RECOMMENDED) -> None:
        """Load every backend: a missing one must stop the start, and not look like a wrong password later."""
        for scheme in _SCHEMES:
            _load_backend(scheme)
        self._profile = profile
        self._context = CryptContext(
            schemes=list(_SCHEMES),
            argon2__type="ID",
            argon2__memory_cost=profile.memory_kib,
            argon2__time_cost=profile.passes,
            argon2__parallelism=profile.lanes,
        )
        self._dummy = _write_dummy(profile)

    def hash(self, password: Secret) -> str:
        """Make an argon2id hash with its own salt, in PHC string format."""
        return str(self._context.hash(_encode(password)))

    def verify(self, password: Secret, stored: str | None, *, decoy: str | None = None) -> Verification:
        """Compare `password` with the hash `stored`. Never raises, for any `stored` and `decoy`.

        `stored` is None for a user who does not exist or has no password. Then nothing matches, and the call takes as
        long as verifying `decoy`, another user's hash (ASVS 6.3.8). Without a decoy, and for an unreadable text, it
        takes as long as a current hash. A hash of another format costs what its maker chose, until the first sign-in
        replaces it; above the limit of `hash_cost` it is unreadable.
        """
        if stored is None:
            self.verify(password, decoy or self._dummy)  # a match counts for nobody
            return Verification(matches=False, outdated=False)
        try:
            if find_cost_problem(stored) is not None:
                raise ValueError("no cost that anybody should pay")
            return Verification(self._fits(password, stored), self._is_outdated(stored))
        except _GARBAGE:
            self._fits(password, self._dummy)
            return Verification(matches=False, outdated=True, unreadable=True)

    def find_problem(self, stored: str) -> str | None:
        """Why `stored`, a hash of another system, cannot be verified; None if it can. Computes no hash."""
        problem = find_cost_problem(stored)
        if problem is not None:
            return problem
        try:
            if (check := foreign_hashes.find_checker(stored)) is not None:
                check(stored)
            else:
                self._context.needs_update(stored)  # parses the whole text
        except _GARBAGE:
            return "is damaged"
        return None

    def _fits(self, password: Secret, stored: str) -> bool:
        data = _encode(password)
        if verify := foreign_hashes.find_verifier(stored):
            return verify(data, stored)
        if self._context.identify(stored) in _BCRYPT_SCHEMES:
            data = data[:_BCRYPT_BYTES]  # as the bcrypt that made the hash did; bcrypt 5 refuses longer passwords
        return bool(self._context.verify(data, stored))

    def _is_outdated(self, stored: str) -> bool:
        try:
            found = argon2.extract_parameters(stored)
        except argon2.exceptions.InvalidHashError:
            return True
        wanted = self._profile
        return not (
            found.type is argon2.Type.ID
            and found.version >= argon2.low_level.ARGON2_VERSION
            and found.memory_cost >= wanted.memory_kib
            and found.time_cost >= wanted.passes
            and found.parallelism >= wanted.lanes
        )


def _encode(password: Secret) -> bytes:
    return password.reveal().encode("utf-8")


def _load_backend(scheme: str) -> None:
    """Raise passlib's `MissingBackendError` if the scheme cannot be verified on this machine."""
    handler = get_crypt_handler(scheme)
    if hasattr(handler, "get_backend"):
        handler.get_backend()


def _write_dummy(profile: HashProfile) -> str:
    """Write a well-formed hash that no password matches. Comparing with it costs one hash, making it costs nothing."""
    salt, digest = "A" * 22, "A" * 43  # 16 and 32 zero bytes in unpadded base64
    return f"$argon2id$v=19$m={profile.memory_kib},t={profile.passes},p={profile.lanes}${salt}${digest}"
