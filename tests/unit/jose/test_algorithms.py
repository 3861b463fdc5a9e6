"""The table of signing algorithms."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from hypothesis import given
from hypothesis import strategies as st

from authserver.jose.algorithms import (
    ALGORITHMS,
    CLIENT_ALGORITHMS,
    SigningAlgorithm,
    find_algorithm,
    find_client_algorithm,
)
from authserver.jose.roca import has_roca_fingerprint
from tests.support.world.rsa_keys import rsa_key

KEYS = {algorithm.name: algorithm.generate() for algorithm in ALGORITHMS}


def test_the_table_holds_exactly_these_algorithms() -> None:
    """RFC 8725 §3.1: a fixed allow-list; in this order they are offered and announced."""
    assert [algorithm.name for algorithm in ALGORITHMS] == ["ES256", "EdDSA", "RS256"]
    assert [algorithm.name for algorithm in CLIENT_ALGORITHMS] == ["ES256", "EdDSA", "RS256", "PS256"]


def test_no_key_of_ours_is_for_what_only_clients_sign_with() -> None:
    """Decision 6: no access token with PS256 verifies anywhere."""
    assert find_algorithm("PS256") is None
    ours, theirs = find_client_algorithm("RS256"), find_client_algorithm("PS256")
    assert ours is not None
    assert theirs is not None
    key = rsa_key()
    for one, other in ((ours, theirs), (theirs, ours)):
        signature = one.sign(key, b"text")
        assert one.verify(key.public_key(), b"text", signature)
        assert not other.verify(key.public_key(), b"text", signature)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda algorithm: algorithm.name)
def test_what_a_row_signs_it_verifies(algorithm: SigningAlgorithm) -> None:
    key = KEYS[algorithm.name]
    signature = algorithm.sign(key, b"text")
    assert algorithm.verify(key.public_key(), b"text", signature)
    assert not algorithm.verify(key.public_key(), b"Text", signature)


def test_every_es256_signature_has_64_bytes() -> None:
    """RFC 7518 §3.4. One number in 128 begins with a zero byte, which is written, too."""
    algorithm, key = ALGORITHMS[0], KEYS["ES256"]
    signatures = [algorithm.sign(key, b"text") for _ in range(1000)]
    assert {len(signature) for signature in signatures} == {64}
    assert any(0 in (signature[0], signature[32]) for signature in signatures)
    assert all(algorithm.verify(key.public_key(), b"text", signature) for signature in signatures)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda algorithm: algorithm.name)
@given(signature=st.binary(max_size=600))
def test_a_signature_of_any_length_is_refused_without_an_exception(
    algorithm: SigningAlgorithm, signature: bytes
) -> None:
    assert not algorithm.verify(KEYS[algorithm.name].public_key(), b"text", signature)


def test_a_key_fits_one_row_only() -> None:
    """One key, one algorithm (RFC 8725 §3.1)."""
    for name, key in KEYS.items():
        for form in (key, key.public_key()):
            assert [algorithm.name for algorithm in ALGORITHMS if algorithm.fits(form)] == [name]


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed448.Ed448PrivateKey.generate(),
        rsa_key(2048),
        rsa_key(exponent=3),
        "a text",
        None,
    ],
    ids=["P-384", "secp256k1", "Ed448", "RSA-2048", "RSA-e-3", "text", "none"],
)
def test_a_foreign_or_weak_key_fits_no_row(key: object) -> None:
    """ASVS 11.2.3: RSA of at least 3072 bit, and no small exponent."""
    assert [algorithm.name for algorithm in ALGORITHMS if algorithm.fits(key)] == []


@pytest.mark.parametrize("name", ["none", "es256", "HS256", "PS256", "", None, 1, ["ES256"], {}])
def test_a_name_outside_the_table_finds_nothing(name: object) -> None:
    assert find_algorithm(name) is None


def test_a_row_is_found_by_its_name_and_equal_to_itself() -> None:
    for algorithm in ALGORITHMS:
        assert find_algorithm(algorithm.name) is algorithm
    assert len({*ALGORITHMS}) == len(ALGORITHMS)


def test_a_row_shows_its_name_only() -> None:
    assert repr(ALGORITHMS[0]) == "SigningAlgorithm(name='ES256')"


def test_an_ordinary_modulus_has_no_roca_fingerprint() -> None:
    """ASVS 11.6.1. The recognised modulus is a Wycheproof vector (tests/vectors)."""
    key = KEYS["RS256"]
    assert isinstance(key, rsa.RSAPrivateKey)
    assert not has_roca_fingerprint(key.public_key().public_numbers().n)
    assert has_roca_fingerprint(65537)
