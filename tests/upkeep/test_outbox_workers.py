"""Many workers on one outbox: nothing is dropped, whoever dies; copies are the same."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from email.message import EmailMessage
from itertools import count

import pytest
from typing_extensions import override

from authserver.deliveries.outbox import LEASE
from authserver.deliveries.outcome import Delivered
from authserver.realm import Realm
from authserver.upkeep.work_outbox import work_outbox
from tests.support.people.mail import Mailbox, read_link
from tests.support.people.outbox import Killed, count_rows, post, tell
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import add_user, build_realm

MOMENT = timedelta(seconds=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def user_id(realm: Realm) -> str:
    return add_user(realm)


@contextmanager
def another_node(url: str, clock: ManualClock, entropy: SeededEntropy, like: Realm) -> Iterator[Realm]:
    """Another node of the installation `like`."""
    realm = build_realm(url, clock, entropy, keyring=like.keyring)
    yield realm
    realm.database.dispose()


def test_workers_at_once_send_each_mail_once(
    realm: Realm, user_id: str, database_url: str, clock: ManualClock, entropy: SeededEntropy
) -> None:
    """Two nodes with three threads each: nothing is dropped, and nothing is doubled unless somebody dies."""
    for _ in range(40):
        tell(realm, user_id)
    mailbox = Mailbox()
    with another_node(database_url, clock, entropy, realm) as other:
        start = threading.Barrier(6)

        def work(node: Realm) -> int:
            start.wait(timeout=30)
            return work_outbox(node, post(mailbox))

        with ThreadPoolExecutor(6) as threads:
            works = [threads.submit(work, node) for node in (realm, other) * 3]
            assert sum(one.result(timeout=60) for one in works) == 40
    assert len({message["Message-ID"] for message in mailbox.messages}) == len(mailbox.messages) == 40
    assert len({read_link(message) for message in mailbox.messages}) == 40
    assert count_rows(realm) == 0


class Deadly(Mailbox):
    """Each third delivery is the last thing its worker does, before or after the mail is out."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count(1)

    @override
    def deliver(self, message: EmailMessage, address: str) -> Delivered:
        number = next(self._numbers)
        if number % 6 != 3:
            super().deliver(message, address)
        if number % 3 == 0:
            raise Killed
        return Delivered()


def test_workers_who_die_drop_nothing_and_copies_are_the_same(
    realm: Realm, user_id: str, database_url: str, clock: ManualClock, entropy: SeededEntropy
) -> None:
    for _ in range(30):
        tell(realm, user_id)
    mailbox = Deadly()
    with another_node(database_url, clock, entropy, realm) as other:

        def work(node: Realm) -> None:
            for _ in range(10):
                with suppress(Killed):
                    work_outbox(node, post(mailbox))

        for _ in range(20):
            with ThreadPoolExecutor(4) as threads:
                for one in [threads.submit(work, node) for node in (realm, other) * 2]:
                    one.result(timeout=60)
            clock.advance(LEASE)
    assert count_rows(realm) == 0
    copies: dict[str, set[bytes]] = {}
    for message in mailbox.messages:
        copies.setdefault(str(message["Message-ID"]), set()).add(message.as_bytes())
    assert len(copies) == 30
    assert {len(texts) for texts in copies.values()} == {1}
    assert len(mailbox.messages) > 30


def test_an_idle_worker_asks_once_and_locks_nothing(
    realm: Realm, recording: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    """Every process does this every second."""
    with recording() as sent:
        assert work_outbox(realm, post(Mailbox())) == 0
    assert [statement.split()[0] for statement in sent] == ["SELECT"]
