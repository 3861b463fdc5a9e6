"""Keys in a real database: concurrent and killed rotations, and master keys that wait for all nodes."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text, update

from authserver.custody.change_keys import (
    compromise_key,
    import_key,
    promote_key,
    retire_key,
    stage_mac_key,
    stage_signing_key,
)
from authserver.custody.key_custody import KeyCustody
from authserver.custody.rewrap_keys import Rewrapped, rewrap_keys
from authserver.custody.rotate_keys import repair_keys, rotate_keys
from authserver.jose.algorithms import ALGORITHMS, SigningAlgorithm
from authserver.jose.jwk import read_jwks
from authserver.keyring import life_cycle
from authserver.keyring.errors import BrokenKeyError, WrongMasterKeyError
from authserver.keyring.key_set import KeySet
from authserver.keyring.keyring import Keyring, build_keyring
from authserver.keyring.keys import ALWAYS_KEPT, KeyState, Purpose, StoredKey
from authserver.keyring.life_cycle import KeyTimes
from authserver.keyring.master_files import create_master_key, load_master_keys
from authserver.keyring.pem import ReadKey
from authserver.keyring.sealing import MasterKeys, sealed_by
from authserver.keyring.steps import Change, Compromise, Impossible, NothingDue, Promote, Retire, Stage, TooEarly
from authserver.records.audit import Actor
from authserver.records.node import NodeReport
from authserver.revocation import Revocation
from authserver.revocation.policy import RevocationPolicy
from authserver.storage import Database, keys, nodes
from authserver.storage.nodes import LIVE_WINDOW
from authserver.storage.schema import AuditEvent, Key
from authserver.trusted_time import Trusted
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy

CLI = Actor("cli")
MAX_AGE, RETIRE_AFTER, SECOND = timedelta(minutes=5), timedelta(minutes=15), timedelta(seconds=1)
TIMES = KeyTimes(MAX_AGE, RETIRE_AFTER, timedelta(0), timedelta(days=7))
SIGNING = Purpose.SIGNING


@dataclass
class Installation:
    """The database, the folder of master keys and the clock of one installation."""

    custody: KeyCustody
    clock: ManualClock
    folder: Path

    def build(self) -> Keyring:
        """Build the keyring that a server would have if it started now."""
        return build_keyring(self.custody.load_keys(), self.custody.read_master_keys())

    def load(self, state: KeyState, purpose: Purpose = SIGNING) -> StoredKey:
        (key,) = self.custody.load_keys().select(purpose, state)
        return key

    def kids(self, *states: KeyState, purpose: Purpose = SIGNING) -> set[str]:
        return {key.kid for key in self.custody.load_keys().select(purpose, *states)}


def now(custody: KeyCustody) -> Trusted:
    """The present time, as a trusted one."""
    return Trusted(custody.clock.now())


@pytest.fixture
def installation(database: Database, tmp_path: Path) -> Installation:
    """An installation right after its first `authserver init`."""
    clock, entropy, folder = ManualClock(), SeededEntropy(), tmp_path / "keys"
    create_master_key(folder, now=clock.now(), entropy=entropy)
    revocation = Revocation(RevocationPolicy(), timedelta(minutes=5), entropy)
    custody = KeyCustody(database, lambda: load_master_keys(folder), TIMES, revocation, clock, entropy)
    repair_keys(custody, by=CLI)
    return Installation(custody, clock, folder)


def test_the_first_start_creates_an_active_and_a_next_key_for_each_purpose(installation: Installation) -> None:
    for purpose in ALWAYS_KEPT:
        states = [key.state for key in installation.custody.load_keys().rows if key.purpose is purpose]
        assert sorted(states) == [KeyState.ACTIVE, KeyState.NEXT]
    assert repair_keys(installation.custody, by=CLI) == ()
    assert len(read_jwks(installation.build().jwks)) == 2


def test_keys_are_read_as_they_were_written(installation: Installation) -> None:
    custody = installation.custody
    installation.clock.advance(MAX_AGE + timedelta(microseconds=1))
    rotate_keys(custody, now(custody), by=CLI)
    compromise_key(custody, installation.load(KeyState.NEXT).kid, by=CLI)
    known = custody.load_keys()
    with custody.database.write() as tx:
        for key in known.rows:
            keys.replace(tx, key, was=key)
    assert custody.load_keys() == known


def test_a_rotation_promotes_stages_and_later_retires(installation: Installation) -> None:
    """F21: each step happens when it is due, and the JWKS is right at every moment."""
    custody, clock = installation.custody, installation.clock
    old, upcoming = installation.load(KeyState.ACTIVE).kid, installation.load(KeyState.NEXT).kid
    assert [type(step) for step in rotate_keys(custody, now(custody), by=CLI)] == [TooEarly, TooEarly]

    clock.advance(MAX_AGE)
    assert [type(step) for step in rotate_keys(custody, now(custody), by=CLI)] == [Promote, Promote]
    keyring = installation.build()
    assert keyring.signing_key.kid == upcoming
    assert keyring.find_verification_key(old) is not None
    assert len(read_jwks(keyring.jwks)) == 3

    clock.advance(RETIRE_AFTER - SECOND)
    rotate_keys(replace(custody, times=replace(TIMES, rotation_interval=timedelta(days=30))), now(custody), by=CLI)
    assert installation.kids(KeyState.RETIRING) == {old}
    clock.advance(SECOND)
    rotate_keys(replace(custody, times=replace(TIMES, rotation_interval=timedelta(days=30))), now(custody), by=CLI)
    assert installation.load(KeyState.RETIRED).kid == old
    assert installation.load(KeyState.RETIRED).sealed is None
    assert installation.build().find_verification_key(old) is None


def test_a_rotation_without_waiting_times_terminates(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life_cycle, "SETTLING", timedelta(0))
    hurried = replace(installation.custody, times=replace(TIMES, jwks_max_age=timedelta(0)))
    assert [type(step) for step in rotate_keys(hurried, now(hurried), by=CLI)] == [Promote, Promote]


def test_of_concurrent_rotations_one_succeeds(installation: Installation, rounds: int) -> None:
    """F20: cron starts rotations on many nodes at once."""
    custody, clock = installation.custody, installation.clock
    with ThreadPoolExecutor(8) as pool:
        for _ in range(max(3, rounds // 10)):
            before = len(custody.load_keys().rows)
            clock.advance(MAX_AGE + RETIRE_AFTER)
            gate = threading.Barrier(8)

            def rotate(gate: threading.Barrier = gate) -> list[type]:
                gate.wait(timeout=10)
                return [type(step) for step in rotate_keys(custody, now(custody), by=CLI)]

            steps = [step for future in [pool.submit(rotate) for _ in range(8)] for step in future.result(timeout=60)]
            assert steps.count(Promote) == 2, "one for each purpose"
            assert len(custody.load_keys().rows) == before + 2


def test_of_concurrent_first_starts_one_succeeds(database: Database, installation: Installation) -> None:
    custody = installation.custody
    with database.write() as tx:
        tx.execute(text("DELETE FROM keys"))
    gate = threading.Barrier(8)

    def start() -> None:
        gate.wait(timeout=10)
        repair_keys(custody, by=CLI)

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(start) for _ in range(8)]:
            future.result(timeout=60)
    assert len(custody.load_keys().rows) == 4


class KilledError(BaseException):
    """Simulates the end of the process; no code catches it."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, write: int) -> Iterator[None]:
    """Make the process die before its change number `write` of a row of `keys`, counted from 0."""
    left = write

    def dying(original: Callable[..., None]) -> Callable[..., None]:
        def act(tx: Connection, key: StoredKey, **was: StoredKey) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise KilledError
            original(tx, key, **was)

        return act

    with monkeypatch.context() as patch:
        patch.setattr(keys, "add", dying(keys.add))
        patch.setattr(keys, "replace", dying(keys.replace))
        yield


@pytest.mark.parametrize("write", range(6))
def test_a_rotation_killed_anywhere_leaves_valid_keys_and_a_rerun_finishes_it(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    """F20: three rows change for each purpose; the process dies before each of them."""
    custody, clock = installation.custody, installation.clock
    signed_by = installation.load(KeyState.ACTIVE).kid
    clock.advance(MAX_AGE)
    with killed_at(monkeypatch, write), pytest.raises(KilledError):
        rotate_keys(custody, now(custody), by=CLI)

    keyring = installation.build()
    assert keyring.find_verification_key(signed_by) is not None
    assert {signed_by, keyring.signing_key.kid} <= set(read_jwks(keyring.jwks))
    assert len(installation.kids(KeyState.NEXT)) == 1

    rotate_keys(custody, now(custody), by=CLI)
    for purpose in ALWAYS_KEPT:
        assert len(installation.kids(KeyState.RETIRING, purpose=purpose)) == 1
        assert len(installation.kids(KeyState.NEXT, purpose=purpose)) == 1


@pytest.mark.parametrize("write", range(4))
def test_a_first_start_killed_anywhere_is_finished_by_the_next(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    """F20."""
    with installation.custody.database.write() as tx:
        tx.execute(text("DELETE FROM keys"))
    with killed_at(monkeypatch, write), pytest.raises(KilledError):
        repair_keys(installation.custody, by=CLI)
    repair_keys(installation.custody, by=CLI)
    assert len(installation.custody.load_keys().rows) == 4


def test_a_compromised_key_is_removed_and_its_successor_signs_at_once(installation: Installation) -> None:
    """F22."""
    stolen, upcoming = installation.load(KeyState.ACTIVE).kid, installation.load(KeyState.NEXT).kid
    assert isinstance(compromise_key(installation.custody, stolen, by=CLI), Compromise)
    keyring = installation.build()
    assert keyring.signing_key.kid == upcoming
    assert stolen not in read_jwks(keyring.jwks)
    assert len(read_jwks(keyring.jwks)) == 2
    assert compromise_key(installation.custody, stolen, by=CLI) == NothingDue()


def test_each_change_leaves_one_audit_record(installation: Installation) -> None:
    custody = installation.custody
    installation.clock.advance(MAX_AGE)
    stolen = installation.load(KeyState.ACTIVE).kid
    stolen_mac = installation.load(KeyState.ACTIVE, Purpose.MAC).kid
    rotate_keys(custody, now(custody), by=CLI)
    compromise_key(custody, stolen, by=CLI)
    compromise_key(custody, stolen_mac, by=CLI)
    retire_key(custody, installation.load(KeyState.NEXT).kid, now(custody), by=CLI)
    with custody.database.read() as tx:
        records = tx.execute(select(AuditEvent.name, AuditEvent.actor, AuditEvent.detail)).all()
    assert sorted(name for name, _, _ in records) == sorted(
        ["key_founded", "key_staged"] * 2
        + ["key_promoted"] * 2
        + ["signing_key_compromised", "mac_key_compromised", "key_staged"]
    )
    assert {actor for _, actor, _ in records} == {"cli"}
    assert [stolen] == [json.loads(detail)["kid"] for name, _, detail in records if name == "signing_key_compromised"]


def test_the_algorithm_changes_by_staging_and_promoting(installation: Installation) -> None:
    """ASVS 11.2.2."""
    custody = installation.custody
    assert isinstance(stage_signing_key(custody, "EdDSA", by=CLI), Stage)
    assert stage_signing_key(custody, "EdDSA", by=CLI) == NothingDue()
    assert stage_signing_key(custody, None, by=CLI) == NothingDue()
    assert isinstance(promote_key(custody, SIGNING, now(custody), by=CLI), TooEarly)
    assert isinstance(promote_key(custody, SIGNING, None, by=CLI), Promote)
    assert installation.build().signing_key.algorithm.name == "EdDSA"
    assert {key.algorithm.name for key in read_jwks(installation.build().jwks).values()} == {"EdDSA", "ES256"}


def test_a_mac_key_is_staged_and_promoted_like_a_signing_key(installation: Installation) -> None:
    custody, upcoming = installation.custody, installation.load(KeyState.NEXT, Purpose.MAC).kid
    old = installation.build().mac_key
    assert stage_mac_key(custody, by=CLI) == NothingDue()
    installation.clock.advance(MAX_AGE)
    assert isinstance(promote_key(custody, Purpose.MAC, now(custody), by=CLI), Promote)
    assert installation.build().mac_key.kid == upcoming
    assert installation.build().find_mac_key(old.kid) == old


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda row: row.name)
def test_an_imported_key_is_published_before_it_signs(installation: Installation, algorithm: SigningAlgorithm) -> None:
    custody, private_key = installation.custody, algorithm.generate()
    step = import_key(custody, ReadKey(algorithm, private_key), by=CLI)
    assert isinstance(step, Stage)
    assert import_key(custody, ReadKey(algorithm, private_key), by=CLI) == NothingDue()
    installation.clock.advance(MAX_AGE)
    rotate_keys(custody, now(custody), by=CLI)
    signing_key = installation.build().signing_key
    assert signing_key.private_key.public_key() == private_key.public_key()
    assert isinstance(import_key(custody, ReadKey(algorithm, private_key), by=CLI), Impossible)


def test_retiring_by_hand_is_refused_until_the_last_token_has_expired(installation: Installation) -> None:
    custody, old = installation.custody, installation.load(KeyState.ACTIVE).kid
    assert isinstance(retire_key(custody, old, now(custody), by=CLI), Impossible)
    promote_key(custody, SIGNING, None, by=CLI)
    assert isinstance(retire_key(custody, old, now(custody), by=CLI), TooEarly)
    assert isinstance(retire_key(custody, old, None, by=CLI), Retire)
    assert isinstance(retire_key(custody, old, None, by=CLI), NothingDue)


def test_a_change_of_a_key_row_that_was_changed_is_refused(installation: Installation) -> None:
    custody, key = installation.custody, installation.load(KeyState.ACTIVE)
    outdated = replace(key, state=KeyState.NEXT)
    with pytest.raises(BrokenKeyError), custody.database.write() as tx:
        keys.replace(tx, key, was=outdated)


@pytest.mark.parametrize(
    "change", [{"state": "sleeping"}, {"purpose": "decoration"}, {"sealed": None}, {"activated_at": None}]
)
def test_an_impossible_row_is_a_named_error(installation: Installation, change: dict[str, str | None]) -> None:
    kid = installation.load(KeyState.ACTIVE).kid
    with installation.custody.database.write() as tx:
        tx.execute(update(Key).where(Key.kid == kid).values(change))
    with pytest.raises(BrokenKeyError, match=kid):
        installation.custody.load_keys()


def add_master_key(installation: Installation) -> str:
    installation.clock.advance(SECOND)
    create_master_key(installation.folder, now=installation.clock.now(), entropy=installation.custody.entropy)
    return load_master_keys(installation.folder).fingerprints[0]


def find_seals(known: KeySet) -> set[str]:
    return {sealed_by(sealed) for sealed in known.sealed}


def test_a_new_master_key_is_not_used_before_rewrap(installation: Installation) -> None:
    """Otherwise another node might be unable to open the next key."""
    custody = installation.custody
    before = find_seals(custody.load_keys())
    add_master_key(installation)
    stage_signing_key(custody, "EdDSA", by=CLI)
    assert find_seals(custody.load_keys()) == before


def test_rewrap_seals_every_key_under_the_newest_master_key(installation: Installation) -> None:
    custody = installation.custody
    signing_key = installation.build().signing_key
    oldest = installation.custody.read_master_keys()
    newest = add_master_key(installation)
    assert rewrap_keys(custody, now(custody), by=CLI) == Rewrapped(newest, 4)
    assert rewrap_keys(custody, now(custody), by=CLI) == Rewrapped(newest, 0)
    assert find_seals(custody.load_keys()) == {newest}
    assert installation.build().signing_key.private_key.private_numbers() == signing_key.private_key.private_numbers()  # type: ignore[union-attr]
    with pytest.raises(WrongMasterKeyError):
        build_keyring(custody.load_keys(), MasterKeys(oldest.keys))


def test_rewrap_waits_for_every_running_server(installation: Installation) -> None:
    custody, clock = installation.custody, installation.clock
    old = custody.read_master_keys().fingerprints
    newest = add_master_key(installation)
    with custody.database.write() as tx:
        nodes.report(tx, NodeReport("node-a", (newest, *old)), clock.now())
        nodes.report(tx, NodeReport("node-b", old), clock.now())
    outcome = rewrap_keys(custody, now(custody), by=CLI)
    assert isinstance(outcome, Impossible)
    assert "node-b" in outcome.reason
    assert "node-a" not in outcome.reason
    assert find_seals(custody.load_keys()) == set(old)

    with custody.database.write() as tx:
        nodes.report(tx, NodeReport("node-b", (newest, *old)), clock.now())
    assert isinstance(rewrap_keys(custody, now(custody), by=CLI), Rewrapped)


def test_a_server_that_has_stopped_does_not_block_rewrap(installation: Installation) -> None:
    custody, clock = installation.custody, installation.clock
    old = custody.read_master_keys().fingerprints
    with custody.database.write() as tx:
        nodes.report(tx, NodeReport("crashed", old), clock.now())
    add_master_key(installation)
    assert isinstance(rewrap_keys(custody, now(custody), by=CLI), Impossible)
    clock.advance(LIVE_WINDOW)
    assert isinstance(rewrap_keys(custody, now(custody), by=CLI), Rewrapped)


def test_nodes_that_stopped_long_ago_are_removed(database: Database) -> None:
    clock = ManualClock()
    with database.write() as tx:
        nodes.report(tx, NodeReport("old", ("a",)), clock.now())
        clock.advance(timedelta(days=2))
        nodes.report(tx, NodeReport("new", ("a", "b")), clock.now())
        nodes.prune(tx, clock.now())
        assert tx.execute(text("SELECT node_id FROM nodes")).scalars().all() == ["new"]
        assert nodes.list_live(tx, clock.now()) == [NodeReport("new", ("a", "b"))]


def test_a_rotation_in_the_middle_of_rewrap_ends_under_the_newest_master_key(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If rewrap commits first, the rotation discards the key that it prepared under the old master key."""
    custody = installation.custody
    newest = add_master_key(installation)
    original = keys.lock
    rewrapped: list[object] = []

    def lock_late(tx: Connection) -> None:
        original(tx)
        if not rewrapped:
            rewrapped.append(None)
            for key in keys.load_all(tx).rows:
                masters = custody.read_master_keys()
                secret = masters.unseal(key.kid, key.algorithm, key.purpose, key.sealed or "")
                sealed = masters.seal(key.kid, key.algorithm, key.purpose, secret)
                keys.replace(tx, replace(key, sealed=sealed), was=key)

    monkeypatch.setattr(keys, "lock", lock_late)
    assert isinstance(stage_signing_key(custody, "EdDSA", by=CLI), Change)
    assert find_seals(custody.load_keys()) == {newest}
