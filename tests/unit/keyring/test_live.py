"""A running server's keyring: it follows the database, and never becomes worse than the last good one."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from authserver.keyring.errors import KeyringError, MasterKeyError
from authserver.keyring.key_set import KeySet
from authserver.keyring.keys import ALWAYS_KEPT, KeyState, Purpose, StoredKey
from authserver.keyring.life_cycle import KeyTimes, decide_promotion
from authserver.keyring.live import KeyringLoader, LiveKeyring
from authserver.keyring.sealing import MasterKeys
from authserver.keyring.steps import Promote, take
from tests.support.world.clock import ManualClock

MakeKey = Callable[..., StoredKey]
SECOND = timedelta(seconds=1)
TIMES = KeyTimes(SECOND, timedelta(minutes=10), timedelta(0), timedelta(days=7))


@dataclass
class World:
    """What a server reads: rows and master keys, or an error in their place."""

    keys: KeySet
    masters: MasterKeys | Exception
    clock: ManualClock = field(default_factory=ManualClock)
    reads: int = 0

    def read_keys(self) -> KeySet:
        self.reads += 1
        return self.keys

    def read_master_keys(self) -> MasterKeys:
        if isinstance(self.masters, Exception):
            raise self.masters
        return self.masters

    def open(self) -> LiveKeyring:
        return LiveKeyring(KeyringLoader(self.read_keys, self.read_master_keys, self.clock), self.clock)

    def add(self, key: StoredKey) -> None:
        self.keys = KeySet((*self.keys.rows, key))

    def rotate(self, fresh: StoredKey) -> None:
        now = self.clock.now()
        step = decide_promotion(self.keys, fresh.purpose, now, TIMES, force=True)
        assert isinstance(step, Promote)
        changed = {key.kid: key for key in take(step, self.keys, fresh, now, TIMES.retiring(fresh.purpose))}
        self.keys = KeySet(tuple({**{key.kid: key for key in self.keys.rows}, **changed}.values()))


@pytest.fixture
def world(key_set: KeySet, masters: MasterKeys) -> World:
    return World(key_set, masters)


def test_a_rotation_is_seen_at_the_next_reload(world: World, make_key: MakeKey) -> None:
    live = world.open()
    before = live.current
    world.rotate(make_key())
    assert live.current is before
    live.reload()
    assert live.current.signing_key.kid != before.signing_key.kid
    assert live.current.find_verification_key(before.signing_key.kid) is not None


def test_nothing_is_parsed_again_while_nothing_changes(world: World) -> None:
    live = world.open()
    before = live.current
    live.reload()
    assert live.current is before


def test_the_last_good_keys_serve_on_when_loading_fails(world: World, masters: MasterKeys) -> None:
    """F19: replaced while running."""
    live = world.open()
    before = live.current
    world.masters = MasterKeyError("keys: is empty")
    with pytest.raises(MasterKeyError, match="is empty"):
        live.reload()
    assert live.failure is world.masters
    assert live.current is before
    world.masters = masters
    live.reload()
    assert live.current is before
    assert live.failure is None


def test_a_server_without_good_keys_does_not_start(world: World) -> None:
    """F19."""
    world.keys = KeySet(())
    with pytest.raises(KeyringError):
        world.open()


def test_the_age_of_the_keys_counts_from_the_last_good_reload(world: World) -> None:
    live = world.open()
    world.clock.advance(2 * SECOND)
    assert live.age == 2 * SECOND
    live.reload()
    assert live.age == timedelta(0)
    world.masters = MasterKeyError("gone")
    world.clock.advance(3 * SECOND)
    with pytest.raises(MasterKeyError):
        live.reload()
    assert live.age == 3 * SECOND


def test_an_unknown_mac_key_is_looked_up_once_and_found(world: World, make_key: MakeKey) -> None:
    live = world.open()
    fresh = make_key("MAC")
    live.reload()
    world.rotate(fresh)
    assert live.find_mac_key(fresh.kid) is not None


def test_unknown_mac_keys_cause_one_reload_a_second_however_many_there_are(world: World) -> None:
    live = world.open()
    world.reads = 0
    for _ in range(3):
        world.clock.advance(SECOND)
        for number in range(50):
            assert live.find_mac_key(f"{number:08x}") is None
    assert world.reads == 3


def test_a_failing_reload_has_the_same_cool_down(world: World) -> None:
    live = world.open()
    world.clock.advance(SECOND)
    world.reads = 0
    world.masters = MasterKeyError("gone")
    assert live.find_mac_key("00000000") is None
    assert live.failure is world.masters
    world.masters = MasterKeyError("asked again")
    assert live.find_mac_key("00000000") is None
    assert str(live.failure) == "gone"


def test_a_mac_key_that_has_ended_causes_no_reload(world: World, make_key: MakeKey) -> None:
    ended = make_key("MAC").compromise(world.clock.now())
    world.add(ended)
    live = world.open()
    world.clock.advance(SECOND)
    world.reads = 0
    assert live.find_mac_key(ended.kid) is None
    assert world.reads == 0


@pytest.mark.parametrize("purpose", ALWAYS_KEPT)
def test_a_retiring_key_leaves_on_time_though_nobody_rotates(world: World, make_key: MakeKey, purpose: Purpose) -> None:
    """F21: no token of a retired key passes after its date."""
    old = world.keys.find_active(purpose)
    assert old is not None
    live = world.open()
    world.rotate(make_key("MAC" if purpose is Purpose.MAC else "ES256"))
    live.reload()

    def find() -> object:
        current = live.current
        return (current.find_mac_key if purpose is Purpose.MAC else current.find_verification_key)(old.kid)

    assert find() is not None
    world.clock.advance(TIMES.retiring(purpose) - SECOND)
    live.reload()
    assert find() is not None
    world.clock.advance(SECOND)
    live.reload()
    assert find() is None
    if purpose is Purpose.MAC:
        assert live.current.find_ended_mac_key(old.kid) is KeyState.RETIRED


def test_many_threads_with_one_unknown_mac_key_wait_for_one_reload(world: World, make_key: MakeKey) -> None:
    live = world.open()
    fresh = make_key("MAC")
    world.rotate(fresh)
    world.clock.advance(SECOND)
    world.reads = 0
    found: list[object] = []
    gate = threading.Barrier(16)

    def look_up() -> None:
        gate.wait(timeout=10)
        found.append(live.find_mac_key(fresh.kid))

    threads = [threading.Thread(target=look_up) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert len(found) == 16
    assert None not in found
    assert world.reads == 1


def test_keys_are_as_old_as_the_sleep_of_the_machine(world: World) -> None:
    """The monotonic clock stands still meanwhile; `Age` of the JWKS and the cool-down count by the wall clock then."""
    live = world.open()
    world.clock.suspend(timedelta(hours=1))
    assert live.age == timedelta(hours=1)
    reads = world.reads
    live.find_mac_key("00000000")
    world.clock.suspend(SECOND)
    live.find_mac_key("00000000")
    assert world.reads == reads + 2
    assert live.age < timedelta(hours=1)
    world.clock.set_wall(world.clock.now() - timedelta(days=1))
    assert live.age >= timedelta(0)
