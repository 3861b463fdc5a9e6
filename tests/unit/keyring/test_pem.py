"""Importing a PEM: what fits an algorithm comes in, everything else is refused in one sentence."""

from datetime import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from authserver.jose.algorithms import PrivateKey
from authserver.keyring.errors import NeedsPassphraseError, UnusablePemError
from authserver.keyring.making import make_signing_key
from authserver.keyring.pem import read_pem
from authserver.keyring.sealing import MasterKeys
from authserver.protocol.secret import Secret
from tests.support.world.clock import START
from tests.support.world.rsa_keys import rsa_key

SomePrivateKey = PrivateKey | dsa.DSAPrivateKey | ed448.Ed448PrivateKey | x25519.X25519PrivateKey
P256 = ec.generate_private_key(ec.SECP256R1())


def write_pem(
    key: SomePrivateKey,
    form: PrivateFormat = PrivateFormat.PKCS8,
    encryption: KeySerializationEncryption | None = None,
) -> bytes:
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption())


@pytest.mark.parametrize(
    ("key", "form", "algorithm"),
    [
        (P256, PrivateFormat.PKCS8, "ES256"),
        (P256, PrivateFormat.TraditionalOpenSSL, "ES256"),
        (ed25519.Ed25519PrivateKey.generate(), PrivateFormat.PKCS8, "EdDSA"),
        (rsa_key(), PrivateFormat.PKCS8, "RS256"),
        (rsa_key(), PrivateFormat.TraditionalOpenSSL, "RS256"),
    ],
)
def test_a_key_that_fits_gets_the_one_algorithm_it_fits(key: PrivateKey, form: PrivateFormat, algorithm: str) -> None:
    assert read_pem(write_pem(key, form)).algorithm.name == algorithm


def test_the_same_key_always_gets_the_same_name(masters: MasterKeys) -> None:
    """So an import can be repeated, and one key cannot come in under two names."""
    later = datetime(2027, 1, 1, tzinfo=START.tzinfo)
    names = set()
    for now in (START, later):
        read = read_pem(write_pem(P256))
        names.add(make_signing_key(read.algorithm, masters, now, read.private_key).kid)
    assert len(names) == 1


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (rsa_key(2048), "RSA key of 2048 bits"),
        (rsa_key(exponent=3), "exponent 3"),
        (ec.generate_private_key(ec.SECP384R1()), "EC key on secp384r1"),
        (ec.generate_private_key(ec.SECP256K1()), "EC key on secp256k1"),
        (ed448.Ed448PrivateKey.generate(), "Ed448"),
        (x25519.X25519PrivateKey.generate(), "X25519"),
    ],
)
def test_a_key_that_fits_no_algorithm_is_named_and_refused(key: SomePrivateKey, sentence: str) -> None:
    """ASVS 11.2.3, 11.6.1."""
    with pytest.raises(UnusablePemError, match=f"{sentence}.*use EC P-256") as refusal:
        read_pem(write_pem(key))
    assert "\n" not in str(refusal.value)


def test_an_encrypted_key_needs_its_passphrase() -> None:
    """F19."""
    pem = write_pem(P256, encryption=BestAvailableEncryption(b"open sesame"))
    assert read_pem(pem, Secret("open sesame")).algorithm.name == "ES256"
    for nothing in (None, Secret("")):
        with pytest.raises(NeedsPassphraseError, match="needs a passphrase"):
            read_pem(pem, nothing)
    with pytest.raises(UnusablePemError, match="passphrase is wrong"):
        read_pem(pem, Secret("open barley"))
    with pytest.raises(UnusablePemError, match="not encrypted"):
        read_pem(write_pem(P256), Secret("open sesame"))


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"garbage",
        b"\x00\xff",
        P256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        write_pem(P256)[:100],
        write_pem(P256).replace(b"A", b"B"),
    ],
    ids=["empty", "garbage", "bytes", "public", "cut off", "altered"],
)
def test_what_is_no_whole_private_key_is_refused(pem: bytes) -> None:
    """F19: truncated PEM."""
    with pytest.raises(UnusablePemError):
        read_pem(pem)
