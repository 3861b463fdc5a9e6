"""The MAC key of a mailed link is settled with the first copy, and changes only when that copy is dead."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from authserver.account.reset_password import ask_reset
from authserver.deliveries.kind import PAUSES
from authserver.deliveries.outcome import Failed
from authserver.jose.algorithms import ALGORITHMS
from authserver.keyring.key_set import KeySet
from authserver.keyring.keyring import build_keyring
from authserver.keyring.keys import StoredKey
from authserver.keyring.live import LiveKeyring
from authserver.keyring.making import make_mac_key, make_signing_key
from authserver.keyring.sealing import MasterKey, MasterKeys
from authserver.realm import Realm
from authserver.storage import links
from authserver.upkeep.work_outbox import work_outbox
from tests.support.people.mail import deliver_all
from tests.support.people.outbox import Troubled, count_rows, is_reset_by, load_link_id, post, tell
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import EMAIL, add_user

MOMENT = timedelta(seconds=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def user_id(realm: Realm) -> str:
    return add_user(realm)


Change = Callable[[StoredKey, datetime], StoredKey]


@contextmanager
def rotating(realm: Realm, clock: ManualClock, change: Change) -> Iterator[tuple[Realm, Callable[[], None]]]:
    """`realm` on keys of its own, and what rotates its MAC key: `change` is what happens to the one before."""
    entropy = SeededEntropy(7)
    masters = MasterKeys((MasterKey.read(MasterKey.generate_text(entropy)),))
    signing = make_signing_key(ALGORITHMS[0], masters, clock.now()).activate(clock.now())
    first = make_mac_key(masters, clock.now(), entropy=entropy, taken=())
    second = make_mac_key(masters, clock.now(), entropy=entropy, taken=(first.kid,))
    keys = [signing, first.activate(clock.now()), second]
    live = LiveKeyring(lambda: build_keyring(KeySet(tuple(keys)), masters), clock)

    def rotate() -> None:
        keys[1:] = [change(keys[1], clock.now()), second.activate(clock.now())]
        live.reload()

    yield dataclasses.replace(realm, keyring=live), rotate


def test_every_copy_is_written_with_the_key_of_the_first(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """A rotation between two attempts changes nothing: the first copy may have arrived."""
    ask_reset(realm, EMAIL)
    with rotating(realm, clock, lambda key, now: key.begin_retiring(now, DAY)) as (rotated, rotate):
        failing = Troubled(Failed("lost"))
        work_outbox(rotated, post(failing))
        rotate()
        clock.advance(PAUSES[0])
        (copy,) = deliver_all(rotated)
        assert copy.as_bytes() == failing.messages[0].as_bytes()
        assert is_reset_by(rotated, copy)


def test_after_the_end_of_its_key_a_mail_goes_out_under_the_next(
    realm: Realm, user_id: str, clock: ManualClock
) -> None:
    """Whatever the first copy said is dead with its key; the link that works is in the last one."""
    ask_reset(realm, EMAIL)
    with rotating(realm, clock, lambda key, now: key.compromise(now)) as (rotated, rotate):
        failing = Troubled(Failed("lost"))
        work_outbox(rotated, post(failing))
        rotate()
        clock.advance(PAUSES[0])
        (copy,) = deliver_all(rotated)
        assert not is_reset_by(rotated, failing.messages[0])
        assert is_reset_by(rotated, copy)


def test_a_node_that_does_not_know_the_key_yet_leaves_the_mail(realm: Realm, user_id: str, clock: ManualClock) -> None:
    tell(realm, user_id)
    with realm.database.write() as tx:
        links.fix_mac_key(tx, load_link_id(realm), "00000000")
    assert deliver_all(realm) == []
    assert count_rows(realm) == 1
