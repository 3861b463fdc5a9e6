"""Hashing and verifying: what is made, what is understood, what is done with garbage."""

import base64
import hashlib
import hmac

import argon2
import bcrypt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.security import generate_password_hash

from authserver.credentials.passwords import CHEAP, RECOMMENDED, HashProfile, PasswordHasher, Verification
from authserver.protocol.secret import Secret

HASHER = PasswordHasher(CHEAP)
DJANGO = "pässwörd für Django"
EVERYBODY = "pässwörd für alle"

# Made by the systems named, not by us.
FOREIGN = {
    "argon2i (argon2-cffi)": (
        EVERYBODY,
        "$argon2i$v=19$m=256,t=1,p=1$a+yaT6HaHEMmT8yBtSOqWQ$LeBblC0jODNm4EGQHAra7s66zu1sOz7/5BZBfg9rKd0",
    ),
    "bcrypt 2a (crypt_blowfish)": ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    "bcrypt 2b (pyca)": ("U*U", "$2b$04$z2fxN3nI1O6MG/cajSEY3.AJdrRUR2CObs04xdYQRvJNraMm8jHWS"),
    "bcrypt 2y (libxcrypt)": ("Hello world!", "$2y$04$CCCCCCCCCCCCCCCCCCCCC.M.JZM2tZUe85sR83hfk5p2NZ0IVXwXe"),
    "bcrypt_sha256 (passlib)": (
        EVERYBODY,
        "$bcrypt-sha256$v=2,t=2b,r=4$MK8UUlZNXHiS3fVB5hdE2e$zZDCfukHsZO76Y50tGbfrrgIKLIVAhS",
    ),
    "phpass (phpass test vector)": ("test12345", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"),
    "scrypt (passlib)": (
        EVERYBODY,
        "$scrypt$ln=8,r=8,p=1$o9Rayxmj1No7B8B4z9n7nw$ToPlUbrDSPi4FWRa9n4MUG0PXP753ohENUYkK4Lnkmw",
    ),
    "pbkdf2_sha256 (passlib)": (
        "password",
        "$pbkdf2-sha256$6400$0ZrzXitFSGltTQnBWOsdAw$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M",
    ),
    "pbkdf2_sha512 (passlib)": (
        EVERYBODY,
        (
            "$pbkdf2-sha512$1000$k/I.57yXco7x/v.f0xoDYA$"
            "uHDQ.9ptn6ZzfEJZ80irFsT9YtHhbh01egS2LazYpA0/75P1fnr0xp.z5cvmYSyEZi/SturJDMQZt3Io72bTWA"
        ),
    ),
    "sha512_crypt (glibc)": (
        "Hello world!",
        (
            "$6$rounds=1000$saltstring$"
            "Zu2Vknok2/f53APfN687ADnzeNBLcsEgTwvcBHMD2./07rZQAt8vsuKVufD15dyZh.LOLB/uZKf6I3GyON4bp/"
        ),
    ),
    "Django pbkdf2": (DJANGO, "pbkdf2_sha256$1000$KJHpfCyKzcsqYHyIbsVW1p$Dlz2O5i9WLORYZZoElCKz802PNSjMimJ4rgkRrXI7c8="),
    "Django argon2": (
        DJANGO,
        "argon2$argon2id$v=19$m=256,t=1,p=1$eUZGM204R0N5WUJhTjY1YmpJWTJTNQ$Ms0sXCJ6RxL4mymTqg+OD+TvbReImrsOI8bbHjuAIsI",
    ),
    "Django bcrypt_sha256": (
        DJANGO,
        "bcrypt_sha256$$2b$04$kLGQhl5828YGbEVKtpSqCe2tpaUHR0.rp9GIozkXOSXS9tz6wlHqO",
    ),
    "Django bcrypt": (DJANGO, "bcrypt$$2b$04$AuikFHAf7OFj39dKCYxW7uwyReyMFJFRECFV1VvAicGHetFy1ub/m"),
    "Django scrypt": (
        DJANGO,
        (
            "scrypt$1024$8WJ2W9W4OX3ITCdCQJ6e7e$8$5$"
            "gplqQpLCyzikpMttqaMg6aax2ZnQpPm/EUwnIINsQxrt1YCA4A+NE+kete4NKxLMHQeHyYMsxye7CJoLaOYcUg=="
        ),
    ),
    "Django scrypt, default cost": (
        DJANGO,
        (
            "scrypt$16384$bS23T79ejeG6gEeP7hf8u6$8$5$"
            "CkJ3HH2HQ+Qy6rPrX1E9sUUXp4Fwcuzm5o6q2gkcgJ0AawPYmrfjaxBIvGQhpUkaCaUJrnffWVH1SdblSOsaQw=="
        ),
    ),
}


@pytest.mark.parametrize(("password", "stored"), FOREIGN.values(), ids=FOREIGN.keys())
def test_hashes_of_other_systems_are_understood_and_called_outdated(password: str, stored: str) -> None:
    assert HASHER.verify(Secret(password), stored) == Verification(matches=True, outdated=True)
    assert HASHER.verify(Secret(password + " "), stored) == Verification(matches=False, outdated=True)


@pytest.mark.parametrize(
    "method", ["pbkdf2:sha1:1000", "pbkdf2:sha256:1000", "pbkdf2:sha512:1000", "scrypt:1024:8:1", "scrypt"]
)
def test_hashes_of_werkzeug_are_understood(method: str) -> None:
    stored = generate_password_hash(EVERYBODY, method)
    assert HASHER.verify(Secret(EVERYBODY), stored) == Verification(matches=True, outdated=True)
    assert HASHER.verify(Secret("something else"), stored) == Verification(matches=False, outdated=True)


def _aspnet(version: int, algorithm: str = "sha1", iterations: int = 1000) -> str:
    """As Microsoft.AspNetCore.Identity.PasswordHasher writes it."""
    salt = bytes(range(16))
    made = hashlib.pbkdf2_hmac(algorithm, EVERYBODY.encode(), salt, iterations, 32)
    numbers = (("sha1", "sha256", "sha512").index(algorithm), iterations, len(salt))
    head = b"\0" if version == 2 else b"\1" + b"".join(number.to_bytes(4) for number in numbers)
    return base64.b64encode(head + salt + made).decode()


def _salted(algorithm: str) -> str:
    return base64.b64encode(hashlib.new(algorithm, EVERYBODY.encode() + b"salt").digest() + b"salt").decode()


def _keycloak(algorithm: str, *, padded: bool) -> str:
    parts = b"0123456789abcdef", hashlib.pbkdf2_hmac(algorithm, EVERYBODY.encode(), b"0123456789abcdef", 1000, 64)
    salt, made = (base64.b64encode(part).decode() for part in parts)
    if not padded:
        salt, made = (text.rstrip("=").replace("+", ".") for text in (salt, made))
    return f"$pbkdf2-{algorithm}$1000${salt}${made}"


def _wordpress() -> str:
    keyed = base64.b64encode(hmac.digest(b"wp-sha384", EVERYBODY.encode(), "sha384"))
    return "$wp$2y$" + bcrypt.hashpw(keyed, bcrypt.gensalt(4)).decode()[4:]


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(_keycloak("sha256", padded=False), id="Keycloak, sha256"),
        pytest.param(_keycloak("sha256", padded=True), id="Keycloak, sha256 in usual base64"),
        pytest.param(_keycloak("sha512", padded=True), id="Keycloak, sha512"),
        pytest.param(_wordpress(), id="WordPress 6.8"),
        pytest.param("{SSHA}" + _salted("sha1"), id="LDAP"),
        pytest.param("{SSHA256}" + _salted("sha256"), id="LDAP, sha256"),
        pytest.param("{SSHA512}" + _salted("sha512"), id="LDAP, sha512"),
        pytest.param(_aspnet(2), id="ASP.NET Identity 2"),
        pytest.param(_aspnet(3, "sha256"), id="ASP.NET Identity 3"),
        pytest.param(_aspnet(3, "sha512"), id="ASP.NET Identity 3, sha512"),
    ],
)
def test_hashes_of_systems_that_people_move_from_are_understood(stored: str) -> None:
    assert HASHER.find_problem(stored) is None
    assert HASHER.verify(Secret(EVERYBODY), stored) == Verification(matches=True, outdated=True)
    assert HASHER.verify(Secret("something else"), stored) == Verification(matches=False, outdated=True)


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$", "bcrypt$$2b$"])
def test_bcrypt_compares_the_first_72_bytes_as_it_did_when_it_hashed(prefix: str) -> None:
    """Cheat sheet "Password storage": bcrypt's limit is met without an error; our own hashes have none."""
    stored = prefix + bcrypt.hashpw(b"\xc3\xa4" * 36, bcrypt.gensalt(4)).decode()[4:]
    assert HASHER.verify(Secret("ä" * 36), stored).matches
    assert HASHER.verify(Secret("ä" * 100), stored).matches
    assert not HASHER.verify(Secret("ä" * 35), stored).matches


def test_the_73rd_byte_counts_in_our_own_hashes() -> None:
    """ASVS 6.2.8: no truncation."""
    stored = HASHER.hash(Secret("x" * 72 + "a"))
    assert HASHER.verify(Secret("x" * 72 + "a"), stored).matches
    assert not HASHER.verify(Secret("x" * 72 + "b"), stored).matches


def test_a_stored_hash_is_argon2id_of_the_recommended_cost() -> None:
    """ASVS 11.4.2: at least 19 MiB, 2 passes, 1 lane."""
    found = argon2.extract_parameters(PasswordHasher().hash(Secret("correct horse battery staple")))
    assert found.type is argon2.Type.ID
    assert (found.version, found.memory_cost, found.time_cost, found.parallelism) == (0x13, 19 * 1024, 2, 1)
    assert (found.salt_len, found.hash_len) == (16, 32)


def test_two_hashes_of_one_password_differ() -> None:
    assert HASHER.hash(Secret("same")) != HASHER.hash(Secret("same"))


@pytest.mark.parametrize("password", ["Case", "case ", " case", "cäse", "ca\u0301se", "c" * 1024])
def test_only_the_same_password_matches_its_hash(password: str) -> None:
    """ASVS 6.2.8: case and outer spaces count."""
    stored = HASHER.hash(Secret(password))
    assert HASHER.verify(Secret(password), stored) == Verification(matches=True, outdated=False)
    assert not HASHER.verify(Secret("case"), stored).matches


@pytest.mark.parametrize(
    ("stored", "outdated"),
    [
        (HashProfile(memory_kib=256, passes=2, lanes=1), False),
        (HashProfile(memory_kib=512, passes=3, lanes=2), False),
        (HashProfile(memory_kib=255, passes=2, lanes=1), True),
        (HashProfile(memory_kib=512, passes=1, lanes=1), True),
    ],
)
def test_only_a_weaker_hash_is_outdated(stored: HashProfile, *, outdated: bool) -> None:
    """A profile that was lowered re-hashes nobody downwards."""
    hasher = PasswordHasher(HashProfile(memory_kib=256, passes=2, lanes=1))
    made = PasswordHasher(stored).hash(Secret("the same"))
    assert hasher.verify(Secret("the same"), made) == Verification(matches=True, outdated=outdated)


def test_nobody_has_no_password() -> None:
    assert HASHER.verify(Secret("anything"), None) == Verification(matches=False, outdated=False)


def test_nobody_costs_as_much_as_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """ASVS 6.3.8: the same argon2 computation, with the same parameters, runs whether the user exists or not."""
    computed: list[argon2.Parameters] = []
    original = argon2.low_level.verify_secret

    def record(stored: bytes, secret: bytes, kind: argon2.Type) -> bool:
        computed.append(argon2.extract_parameters(stored.decode()))
        return original(stored, secret, kind)

    hasher = PasswordHasher(RECOMMENDED)
    stored = hasher.hash(Secret("right one"))
    monkeypatch.setattr(argon2.low_level, "verify_secret", record)
    hasher.verify(Secret("wrong one"), stored)
    hasher.verify(Secret("wrong one"), None)
    hasher.verify(Secret("wrong one"), "garbage")
    assert len(computed) == 3
    assert computed[0] == computed[1] == computed[2]


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "plain text",
        "!unusable",
        "$P$",
        "$2b$99$aaaa",
        "$2b$04$" + "\0" * 53,
        "$6$rounds=1$",
        "$argon2id$v=19$m=64,t=1,p=1$abc$def",
        "$argon2id$v=19$m=64,t=1,p=1$YWFhYWFhYWE",
        "$argon2id$v=19$m=4294967295,t=1,p=1$YWFhYWFhYWE$YWFhYWFhYWE",
        "$argon2id$\ud800",
        "$argon2id$v=19$m=64,t=1,p=1$" + "é" * 22,
        "scrypt:1:1:1$salt$00",
        "scrypt:4294967296:8:1$salt$00",
        "scrypt:99999999999999999999999:8:1$salt$00",
        "scrypt:16:8:1$salt$not hex",
        "scrypt:16:8:1$salt",
        "scrypt$1024$salt$8$5$====",
        "scrypt$1024$salt$8",
        "pbkdf2:md4:1$salt$00",
        "pbkdf2:sha256:0$salt$00",
        "pbkdf2:sha256:x$salt$00",
        "pbkdf2:sha256:99999999999999999999999$salt$00",
        "pbkdf2:sha256$salt$00",
        "pbkdf2_sha256$0$$",
        "bcrypt_sha256$$2b$",
    ],
)
def test_a_stored_text_that_is_no_hash_matches_nothing_and_says_so(garbage: str) -> None:
    """ASVS 11.2.5: an error in a cryptographic function refuses; it never lets in and never breaks the sign-in."""
    assert HASHER.verify(Secret("password"), garbage) == Verification(matches=False, outdated=True, unreadable=True)


@settings(deadline=None)
@given(
    st.sampled_from([stored for name, (_, stored) in FOREIGN.items() if "default cost" not in name]),
    st.integers(0, 90),
    st.text(max_size=3),
)
@example("$argon2id$v=19$m=64,t=1,p=1$YWFhYWFhYWE$YWFhYWFhYWE", 20, "")
def test_a_damaged_hash_never_raises(stored: str, cut: int, tail: str) -> None:
    """Cut short and with something else at its end; costs stay as they are, so that the test stays quick."""
    start = stored.rfind("$") + 1
    damaged = stored[: start + min(cut, len(stored) - start - 1)] + tail
    verification = HASHER.verify(Secret("of nobody here"), damaged)
    assert not verification.matches
    assert verification.outdated
