"""Signing out with an access token whose key has left the JWKS (contract §3)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from authserver.jose.algorithms import ALGORITHMS
from authserver.keyring.key_set import KeySet
from authserver.keyring.keyring import build_keyring
from authserver.keyring.live import LiveKeyring
from authserver.keyring.making import make_mac_key, make_signing_key
from authserver.keyring.sealing import MasterKey, MasterKeys
from tests.support.people.api import Api, content, problem
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import add_user, build_realm

DAY = timedelta(days=1)


class Rotated:
    """An installation whose signing key was rotated out after somebody had signed in."""

    def __init__(self, database_url: str, clock: ManualClock, entropy: SeededEntropy) -> None:
        self._clock = clock
        self._masters = MasterKeys((MasterKey.read(MasterKey.generate_text(entropy)),))
        self._mac = make_mac_key(self._masters, clock.now(), entropy=entropy, taken=()).activate(clock.now())
        self._first = make_signing_key(ALGORITHMS[0], self._masters, clock.now()).activate(clock.now())
        self._keys = [self._first]
        keyring = LiveKeyring(lambda: build_keyring(KeySet((*self._keys, self._mac)), self._masters), clock)
        self.realm = build_realm(database_url, clock, entropy, keyring=keyring)
        add_user(self.realm)
        self.api = Api(self.realm)
        self.tokens = self.api.sign_in()

    def retire(self) -> None:
        now = self._clock.now()
        gone = self._first.begin_retiring(now, DAY).retire(now)
        self._keys = [gone, make_signing_key(ALGORITHMS[0], self._masters, now).activate(now)]
        self.realm.keyring.reload()

    def compromise(self) -> None:
        self.retire()
        self._keys[0] = self._keys[0].compromise(self._clock.now())
        self.realm.keyring.reload()


@pytest.fixture
def rotated(database_url: str, clock: ManualClock, entropy: SeededEntropy) -> Iterator[Rotated]:
    rotated = Rotated(database_url, clock, entropy)
    yield rotated
    rotated.realm.database.dispose()


@pytest.mark.parametrize("path", ["/logout", "/logout/all"])
def test_a_token_may_sign_out_for_a_day_after_its_key_has_gone(rotated: Rotated, clock: ManualClock, path: str) -> None:
    clock.advance(timedelta(minutes=10))
    rotated.retire()
    clock.advance(DAY - timedelta(minutes=10))
    problem(rotated.api.get("/account", rotated.tokens["access_token"]), 401, "unknown_key")
    assert rotated.api.post(path, token=rotated.tokens["access_token"]).status_code == 204
    again = rotated.api.sign_in()
    listed = content(rotated.api.get("/account/sessions", again["access_token"]), 200)["sessions"]
    assert [session["sid"] for session in listed] == [again["sid"]]


def test_a_key_that_went_earlier_than_that_is_unknown(rotated: Rotated, clock: ManualClock) -> None:
    rotated.retire()
    clock.advance(DAY)
    problem(rotated.api.post("/logout", token=rotated.tokens["access_token"]), 401, "unknown_key")


def test_a_compromised_key_signs_nobody_out(rotated: Rotated) -> None:
    """Whoever stole it could sign everybody out."""
    rotated.compromise()
    problem(rotated.api.post("/logout/all", token=rotated.tokens["access_token"]), 401, "unknown_key")
