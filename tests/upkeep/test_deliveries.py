"""Deliveries of any kind: a kind brings its own attempts, pauses and words, and none holds up another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

import pytest
from structlog.testing import capture_logs

from authserver.credentials.events.base import Subject
from authserver.deliveries.kind import Kind
from authserver.deliveries.outbox import LEASE, SPARED, Outbox
from authserver.deliveries.outcome import Deferred, Delivered, Failed, Needless, Outcome, Undeliverable
from authserver.protocol.audit_name import AuditName
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.delivery import Delivery, Rank
from authserver.storage import Transaction, audit, deliveries
from authserver.upkeep.prune import Retention
from authserver.upkeep.work_outbox import list_kinds
from tests.support.people.mail import Mailbox
from tests.support.people.outbox import Troubled, count_rows, post, tell
from tests.support.world.clock import ManualClock
from tests.support.world.realm import add_user

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SECRET = "what-the-payload-says"


@dataclass
class Telegrams:
    """A kind that no release has."""

    name: ClassVar[str] = "telegram"
    word: ClassVar[str] = "telegram"
    given_up: ClassVar[AuditName] = AuditName.MAIL_GIVEN_UP
    pauses: ClassVar[Sequence[timedelta]] = (MINUTE, 2 * MINUTE)
    is_persistent: ClassVar[bool] = False
    is_ordered: ClassVar[bool] = False

    outcomes: Mapping[str, Outcome | type[Exception]] = field(default_factory=dict)
    """By target; `Delivered` where nothing is said."""
    sent: list[str] = field(default_factory=list)
    user_id: str | None = None

    def attempt(self, delivery: Delivery) -> Outcome:
        outcome = self.outcomes.get(delivery.target, Delivered())
        self.sent.append(f"{delivery.target}-{delivery.attempts}")
        if isinstance(outcome, type):
            raise outcome(SECRET)
        return outcome

    def describe(self, delivery: Delivery) -> Mapping[str, str]:
        return {"telegram_id": delivery.delivery_id}

    def find_subject(self, tx: Transaction, delivery: Delivery) -> Subject:
        del tx, delivery
        return Subject(self.user_id)


def queue(realm: Realm, *targets: str, rank: Rank = Rank.URGENT, kind: str = "telegram") -> None:
    """Queue one delivery for each of the targets."""
    for target in targets:
        with realm.database.write() as tx:
            delivery = Delivery(f"{kind}-{target}", kind, target, {"text": SECRET})
            deliveries.queue(tx, delivery, realm.clock.now(), rank=rank)


def work(realm: Realm, *kinds: Kind) -> int:
    return Outbox(realm.database, realm.clock, realm.entropy, kinds).work(most=100)


def test_a_way_out_that_fails_holds_up_no_other_kind(realm: Realm, clock: ManualClock) -> None:
    """Each is asked once in a turn; what goes another way goes."""
    user_id = add_user(realm)
    for target in ("a", "b", "c"):
        tell(realm, user_id)
        clock.advance(timedelta(seconds=1))
        queue(realm, target)
    failing, telegrams = Troubled(Failed("down")), Telegrams()
    assert work(realm, *list_kinds(realm, post(failing)), telegrams) == 4
    assert (len(failing.messages), telegrams.sent) == (1, ["a-1", "b-1", "c-1"])
    mailbox, telegrams = Mailbox(), Telegrams({"d": Failed("down")})
    queue(realm, "d", "e")
    clock.advance(MINUTE)
    assert work(realm, *list_kinds(realm, post(mailbox)), telegrams) == 4
    assert (len(mailbox.messages), telegrams.sent) == (3, ["d-1"])


def test_a_kind_has_pauses_words_and_a_record_of_its_own(realm: Realm, clock: ManualClock) -> None:
    user_id = add_user(realm)
    telegrams = Telegrams({"a": Failed("down")}, user_id=user_id)
    queue(realm, "a")
    with capture_logs() as logs:
        for pause in (*Telegrams.pauses, MINUTE):
            assert work(realm, telegrams) == 1
            assert work(realm, telegrams) == 0
            clock.advance(pause)
    assert [line["event"] for line in logs] == ["telegram_put_off", "telegram_put_off", "telegram_given_up"]
    assert count_rows(realm) == 0
    with realm.database.read() as tx:
        record = audit.list_of_user(tx, user_id)[0]
    assert (record.name, record.outcome, record.actor) == (Telegrams.given_up, "failure", Actor("server"))
    assert record.detail == {"telegram_id": "telegram-a", "attempts": 3, "reason": "down"}
    assert SECRET not in str((logs, record))


@pytest.mark.parametrize(
    ("outcome", "event", "left"),
    [
        (Delivered(), None, 0),
        (Needless(), "telegram_dropped", 0),
        (Undeliverable("gone"), "telegram_given_up", 0),
        (Deferred("later"), "telegram_put_off", 1),
        (ValueError, "telegram_put_off", 1),
    ],
)
def test_what_an_attempt_comes_to_decides_what_becomes_of_the_delivery(
    realm: Realm, outcome: Outcome | type[Exception], event: str | None, left: int
) -> None:
    """Others are made in the same turn; the log has neither target nor payload."""
    telegrams = Telegrams({"target-a": outcome})
    queue(realm, "target-a", "target-b")
    with capture_logs() as logs:
        assert work(realm, telegrams) == 2
    assert telegrams.sent == ["target-a-1", "target-b-1"]
    assert [line["event"] for line in logs] == ([] if event is None else [event])
    assert count_rows(realm) == left
    said = str([{**line, "telegram_id": ""} for line in logs])
    assert "target-a" not in said
    assert SECRET not in said


def test_a_target_is_held_back_for_its_kind_alone(realm: Realm, clock: ManualClock) -> None:
    """Two kinds may name their targets alike; neighbours are held back as far as they are routine."""
    queue(realm, "one.slow", kind="letter")
    telegrams = Telegrams({"one.slow": Deferred("later", stalled=".slow")})
    queue(realm, "one.slow")
    clock.advance(timedelta(seconds=1))
    queue(realm, "two.slow", rank=Rank.ROUTINE)
    queue(realm, "three.slow", "four.quick")

    class Letters(Telegrams):
        name: ClassVar[str] = "letter"

    letters = Letters()
    assert work(realm, telegrams) == 3
    assert telegrams.sent == ["one.slow-1", "three.slow-1", "four.quick-1"]
    assert work(realm, letters) == 1
    clock.advance(SPARED)
    assert work(realm, Telegrams()) == 2


def test_who_dies_with_a_delivery_leaves_it_to_the_next_one(realm: Realm, clock: ManualClock) -> None:
    class Killed(BaseException):
        pass

    class Deadly(Telegrams):
        def attempt(self, delivery: Delivery) -> Outcome:
            super().attempt(delivery)
            raise Killed

    queue(realm, "a")
    deadly, telegrams = Deadly(), Telegrams()
    with pytest.raises(Killed):
        work(realm, deadly)
    assert work(realm, telegrams) == 0
    clock.advance(LEASE)
    assert work(realm, telegrams) == 1
    assert deadly.sent + telegrams.sent == ["a-1", "a-2"]


def test_a_payload_that_nobody_can_read_is_given_up_in_the_end_and_holds_up_nobody(
    realm: Realm, clock: ManualClock
) -> None:
    """For every kind there is: written by a later release, or by whoever wrote into the table."""
    user_id = add_user(realm)
    kinds = list_kinds(realm, post(mailbox := Mailbox()))
    for kind in kinds:
        queue(realm, kind.name, kind=kind.name)
    tell(realm, user_id)
    with capture_logs() as logs:
        for pause in (*max((kind.pauses for kind in kinds), key=len), MINUTE):
            work(realm, *kinds)
            clock.advance(pause)
    assert len(mailbox.messages) == 1
    assert count_rows(realm) == 0
    given_up = [line["event"] for line in logs if not line["event"].endswith("put_off")]
    assert sorted(given_up) == sorted(f"{kind.word}_given_up" for kind in kinds)


def test_every_kind_is_known_by_one_name_and_waits_no_longer_than_the_outbox_keeps_it(realm: Realm) -> None:
    kinds = list_kinds(realm, post(Mailbox()))
    assert [kind.name for kind in kinds] == ["mail", "mail_request", "logout"]
    for kind in kinds:
        assert max(kind.pauses) < deliveries.LONGEST_WAIT
        assert sum(kind.pauses, LEASE) < Retention(audit=DAY).outbox
