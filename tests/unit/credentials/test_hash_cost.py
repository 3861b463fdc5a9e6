"""Hashes that came from elsewhere: what is too dear is never verified, what is damaged never comes in."""

import pytest

from authserver.credentials.hash_cost import find_cost_problem
from authserver.credentials.passwords import CHEAP, PasswordHasher, Verification
from authserver.protocol.secret import Secret

HASHER = PasswordHasher(CHEAP)
BCRYPT = "abcdefghijklmnopqrstuOgd9ZC9pBe2pcjhIxOTGGzNxZ6IMd.Ju"
B64 = "c2FsdHNhbHRzYWx0c2FsdA"

GOOD = [
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b3ddWJSWPQHsiGhiGhiGhiGhiE",
    "argon2$argon2id$v=19$m=102400,t=2,p=8$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b3ddWJSWPQHsiGhiGhiGhiGhiE",
    f"$2b$12${BCRYPT}",
    f"bcrypt$$2b$12${BCRYPT}",
    f"bcrypt_sha256$$2b$12${BCRYPT}",
    "$P$BN1UIu9ejSm6ZbbLNxvUDSJVRdJyXh/",
    "scrypt:32768:8:1$salt$" + "ab" * 64,
    "pbkdf2:sha256:1000000$salt$" + "ab" * 32,
    "pbkdf2_sha256$870000$salt$" + "A" * 43 + "=",
    "$6$rounds=656000$saltsalt$" + "a" * 86,
    "$6$saltsalt$" + "a" * 86,
]
DEAR = [
    f"$2b$17${BCRYPT}",
    f"$2b$31${BCRYPT}",
    f"bcrypt$$2b$31${BCRYPT}",
    f"$bcrypt-sha256$v=2,t=2b,r=31${BCRYPT[:22]}${BCRYPT[22:]}",
    f"$bcrypt-sha256$2b,31${BCRYPT[:22]}${BCRYPT[22:]}",
    f"$argon2id$v=19$m=1048577,t=1,p=1${B64}${B64}",
    f"$argon2id$v=19$m=1048576,t=5,p=1${B64}${B64}",
    f"$argon2id$v=19$m=65536,t=999999999999999999,p=1${B64}${B64}",
    f"argon2$argon2i$v=19$m=4194304,t=1,p=1${B64}${B64}",
    f"$argon2id$v=19$m=64,t=1,p=65${B64}${B64}",
    "$P$SN1UIu9ejSm6ZbbLNxvUDSJVRdJyXh/",
    "scrypt:4194304:8:1$salt$" + "ab" * 64,
    "scrypt:32768:8:17$salt$" + "ab" * 64,
    f"scrypt$4194304$salt$8$1${B64}==",
    f"$scrypt$ln=24,r=8,p=1${B64}${B64}",
    f"$scrypt$ln=999999999,r=8,p=1${B64}${B64}",
    "pbkdf2:sha256:5000001$salt$" + "ab" * 32,
    "pbkdf2_sha256$5000001$salt$" + "A" * 43 + "=",
    f"$pbkdf2-sha512$99999999${B64}${B64}",
    "$6$rounds=5000001$saltsalt$" + "a" * 86,
    "$wp$2y$17$" + BCRYPT,
    "AQAAAAEATEtBAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
]
UNKNOWN = [
    "",
    "!",
    "plain text",
    "$1$salt$md5crypt",
    "5f4dcc3b5aa765d61d8327deb882cf99",
    "{SHA}xyz",
    "$5$salt$x",
    "pbkdf2:md5:1000$salt$abcd",
]
DAMAGED = [
    "$2b$12$tooshort",
    "$argon2id$v=19$m=65536,t=3,p=4$",
    "$argon2id$m=1,t=1,p=1,$x",
    "pbkdf2:sha256:1000$salt$nothex",
    "scrypt:32768:8:1$salt",
    "$P$B",
    "{SSHA}AAAA",
    "$wp$2y$10$short",
    f"$pbkdf2-sha256$27500${B64}$AAAA",
    "$6$rounds=656000$saltsalt$short",
]


@pytest.mark.parametrize("stored", GOOD)
def test_what_other_systems_make_is_bearable(stored: str) -> None:
    assert find_cost_problem(stored) is None
    assert HASHER.find_problem(stored) is None


def test_what_this_server_makes_is_bearable() -> None:
    assert HASHER.find_problem(PasswordHasher().hash(Secret("correct horse battery staple"))) is None


@pytest.mark.parametrize("stored", DEAR)
def test_what_is_too_dear_is_named_and_never_verified(stored: str) -> None:
    """One imported bcrypt hash of cost 31 would hold the hashing thread, and every sign-in, for days."""
    problem = HASHER.find_problem(stored)
    assert problem is not None
    assert problem.startswith("costs too much to verify; at most ")
    verification = HASHER.verify(Secret("x"), stored)
    assert verification == Verification(matches=False, outdated=True, unreadable=True)


@pytest.mark.parametrize("stored", UNKNOWN)
def test_what_is_no_known_hash_is_refused(stored: str) -> None:
    assert HASHER.find_problem(stored) == "is not in a known hash format"


@pytest.mark.parametrize("stored", DAMAGED)
def test_what_is_damaged_is_refused_before_anybody_signs_in_with_it(stored: str) -> None:
    assert HASHER.find_problem(stored) == "is damaged"
