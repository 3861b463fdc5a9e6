"""Master keys and ready-made rows for the keyring's tests."""

from collections.abc import Callable
from datetime import datetime
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from authserver.jose.algorithms import PrivateKey, find_algorithm
from authserver.keyring.key_set import KeySet
from authserver.keyring.keys import StoredKey
from authserver.keyring.making import make_mac_key, make_signing_key
from authserver.keyring.sealing import MasterKey, MasterKeys
from tests.support.world.clock import START
from tests.support.world.entropy import SeededEntropy

MakeKey = Callable[..., StoredKey]


@cache
def generate_rsa_key() -> PrivateKey:
    """One for all tests: each takes half a second."""
    return generate_private_key(65537, 3072)


@pytest.fixture
def entropy() -> SeededEntropy:
    return SeededEntropy()


@pytest.fixture
def masters(entropy: SeededEntropy) -> MasterKeys:
    return MasterKeys((MasterKey.read(MasterKey.generate_text(entropy)),))


@pytest.fixture
def make_key(masters: MasterKeys, entropy: SeededEntropy) -> MakeKey:
    """A next key, by the name of its algorithm; "MAC" makes a MAC key."""

    def make(name: str = "ES256", now: datetime = START) -> StoredKey:
        algorithm = find_algorithm(name)
        if algorithm is None:
            return make_mac_key(masters, now, entropy=entropy, taken=())
        return make_signing_key(algorithm, masters, now, generate_rsa_key() if name == "RS256" else None)

    return make


@pytest.fixture
def key_set(make_key: MakeKey) -> KeySet:
    """What `authserver init` leaves: an active and a next key of both purposes."""
    signing, mac = (make_key(name).activate(START) for name in ("ES256", "MAC"))
    return KeySet((signing, mac, make_key("ES256"), make_key("MAC")))
