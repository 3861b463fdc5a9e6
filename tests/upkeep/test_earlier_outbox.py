"""The outbox of release 0.1: what its nodes queued, before the migration or after it, arrives all the same."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config

from authserver.deliveries.kind import PAUSES
from authserver.deliveries.outbox import LEASE
from authserver.deliveries.outcome import Failed
from authserver.realm import Realm
from authserver.storage import migrations, revision
from authserver.storage.instants import to_micros
from authserver.storage.schema import OutboxMail, QueuedDelivery
from authserver.upkeep.work_outbox import move_earlier_outbox, work_outbox
from tests.support.people.mail import deliver_all
from tests.support.people.outbox import Troubled, count_rows, is_reset_by, load_link_id, post, tell
from tests.support.world.clock import ManualClock
from tests.support.world.databases import opened
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import EMAIL, add_user, build_realm

MOMENT = timedelta(seconds=1)


def mail(now: datetime, mail_id: str = "mail-1", **differently: object) -> dict[str, object]:
    """A mail as release 0.1 has it in its table."""
    common: dict[str, object] = {
        "mail_id": mail_id,
        "template": "user_deleted",
        "address": EMAIL,
        "link_id": None,
        "parameters": f'{{"name": "Ada", "at": {int(now.timestamp())}}}',
        "queued_at": now,
        "due_at": now,
        "attempts": 0,
    }
    return common | differently


def queue_as_before(realm: Realm, *mails: dict[str, object]) -> None:
    with realm.database.write() as tx:
        tx.execute(sqlalchemy.insert(OutboxMail), list(mails))


def count_left(realm: Realm) -> int:
    with realm.database.read() as tx:
        return tx.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(OutboxMail)).scalar_one()


def test_a_mail_arrives_under_its_id_with_a_link_that_works(realm: Realm, clock: ManualClock) -> None:
    tell(realm, add_user(realm))
    with realm.database.write() as tx:
        tx.execute(sqlalchemy.delete(QueuedDelivery))
    queue_as_before(realm, mail(clock.now(), template="password_reset_asked", link_id=load_link_id(realm)))
    move_earlier_outbox(realm)
    (message,) = deliver_all(realm)
    assert str(message["Message-ID"]).startswith("<mail-1@")
    assert "?token=lt_" in message.as_string()
    assert (count_left(realm), count_rows(realm)) == (0, 0)


def test_a_request_is_answered(realm: Realm, clock: ManualClock) -> None:
    add_user(realm)
    queue_as_before(realm, mail(clock.now(), template="wish:reset", parameters="{}"))
    move_earlier_outbox(realm)
    (message,) = deliver_all(realm)
    assert is_reset_by(realm, message)


def test_the_urgent_goes_first_and_attempts_count(realm: Realm, clock: ManualClock) -> None:
    now = clock.now()
    routine = mail(now - MOMENT, "routine", rank=1, attempts=3)
    urgent = mail(now, "urgent", rank=0, attempts=len(PAUSES))
    queue_as_before(realm, routine, urgent)
    move_earlier_outbox(realm)
    failing = Troubled(Failed("down"))
    work_outbox(realm, post(failing))
    assert [str(message["Message-ID"]).partition("@")[0] for message in failing.messages] == ["<urgent"]
    with realm.database.read() as tx:
        left = tx.execute(sqlalchemy.select(QueuedDelivery.delivery_id, QueuedDelivery.attempts)).all()
    assert left == [("routine", 3)], "the urgent one was given up with its ninth attempt"


def test_what_a_node_of_that_release_has_in_its_hands_is_left_to_it(realm: Realm, clock: ManualClock) -> None:
    """Its lease, or its pause, has to end first."""
    queue_as_before(realm, mail(clock.now()), mail(clock.now(), "leased", due_at=clock.now() + LEASE))
    move_earlier_outbox(realm)
    assert (count_left(realm), len(deliver_all(realm))) == (1, 1)
    clock.advance(LEASE)
    move_earlier_outbox(realm)
    assert (count_left(realm), len(deliver_all(realm))) == (0, 1)


def test_nodes_that_move_at_once_move_each_mail_once(realm: Realm, clock: ManualClock) -> None:
    ids = [f"mail-{number}" for number in range(250)]
    queue_as_before(realm, *(mail(clock.now(), one) for one in ids))
    while count_left(realm):
        with ThreadPoolExecutor(4) as threads:
            for one in [threads.submit(move_earlier_outbox, realm) for _ in range(4)]:
                one.result(timeout=60)
    with realm.database.read() as tx:
        assert sorted(tx.execute(sqlalchemy.select(QueuedDelivery.delivery_id)).scalars()) == sorted(ids)


def test_where_nothing_is_left_one_question_is_asked(
    realm: Realm, recording: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    with recording() as sent:
        move_earlier_outbox(realm)
    assert [statement.split()[0] for statement in sent] == ["SELECT"]


@pytest.mark.parametrize("since", ["0002", "0007", "0008", "0011"])
def test_what_was_queued_under_an_earlier_schema_arrives_after_the_migration(
    empty_database_url: str, clock: ManualClock, entropy: SeededEntropy, since: str
) -> None:
    """While the mail waited the schema had no rank yet, or no deliveries."""
    config = Config()
    config.set_main_option("script_location", str(revision.find_directory()))
    queued = mail(clock.now())
    queued |= {name: to_micros(clock.now()) for name in ("queued_at", "due_at")}
    columns = ", ".join(queued)
    values = ", ".join(f":{name}" for name in queued)
    with opened(empty_database_url) as database:
        command.upgrade(migrations.attach(config, database), since)
        with database.write() as tx:
            tx.execute(sqlalchemy.text(f"INSERT INTO outbox ({columns}) VALUES ({values})"), queued)  # noqa: S608 - ours
        assert migrations.upgrade(database) == since
        assert migrations.check(database) == []
    realm = build_realm(empty_database_url, clock, entropy)
    move_earlier_outbox(realm)
    assert [message["To"] for message in deliver_all(realm)] == [EMAIL]
    realm.database.dispose()
