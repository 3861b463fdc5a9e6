"""Trouble with mail (faults F29): sent at least once, put off, given up; every copy holds the same link."""

from datetime import timedelta
from email.message import EmailMessage

import pytest
import sqlalchemy
from structlog.testing import capture_logs

from authserver.account.reset_password import ask_reset
from authserver.deliveries.kind import PAUSES
from authserver.deliveries.outbox import LEASE
from authserver.deliveries.outcome import Delivered, Failed
from authserver.deliveries.smtp import SmtpCarrier
from authserver.deliveries.smtp_url import Encryption, SmtpServer
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.storage import audit, users
from authserver.upkeep.work_outbox import work_outbox
from tests.support.people.mail import SENDER, Mailbox, deliver_all, has_link, read_link
from tests.support.people.outbox import Killed, Troubled, by_smtp, count_rows, granting_nothing, is_reset_by, post, tell
from tests.support.wire.smtp import SmtpSink, smtp_server
from tests.support.world.clock import ManualClock
from tests.support.world.processes import free_port
from tests.support.world.realm import EMAIL, add_user

MOMENT = timedelta(seconds=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def user_id(realm: Realm) -> str:
    return add_user(realm)


def test_a_worker_killed_after_sending_is_followed_by_one_who_sends_the_same_mail(
    realm: Realm, user_id: str, clock: ManualClock
) -> None:
    tell(realm, user_id)
    killed = Troubled(Killed)
    with pytest.raises(Killed):
        work_outbox(realm, post(killed))
    assert deliver_all(realm) == []
    clock.advance(LEASE)
    (copy,) = deliver_all(realm)
    assert copy.as_bytes() == killed.messages[0].as_bytes()
    assert has_link(copy)
    assert count_rows(realm) == 0


def test_a_connection_lost_after_the_message_sends_a_copy_with_the_same_link(
    realm: Realm, user_id: str, clock: ManualClock, mail_sink: SmtpSink
) -> None:
    ask_reset(realm, EMAIL)
    mail_sink.hang_up = True
    work_outbox(realm, by_smtp(mail_sink))
    mail_sink.hang_up = False
    clock.advance(PAUSES[0])
    work_outbox(realm, by_smtp(mail_sink))
    first, second = mail_sink.messages
    assert first.as_bytes() == second.as_bytes()
    assert is_reset_by(realm, first)
    assert not is_reset_by(realm, second)


def test_the_queue_drains_when_the_mail_server_is_back(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """Down, then full of errors, then well; what could be sent meanwhile is not sent twice.

    All mails are for one recipient: when one is refused, the others wait with it.
    """
    port = free_port()
    down = post(SmtpCarrier(SmtpServer("127.0.0.1", port, Encryption.NEVER), SENDER.addr_spec))
    for _ in range(5):
        tell(realm, user_id)
        clock.advance(MOMENT)
    work_outbox(realm, down)
    with smtp_server(port=port) as sink:
        sink.answers["MAIL"] = "451 4.3.0 later"
        work_outbox(realm, by_smtp(sink))
        sink.answers["MAIL"] = "250 OK"
        sink.answers["DATA"] = "554 5.6.0 not like this"
        work_outbox(realm, by_smtp(sink))
        sink.answers.clear()
        assert work_outbox(realm, by_smtp(sink)) == 0
        clock.advance(PAUSES[0])
        assert work_outbox(realm, by_smtp(sink)) == 5
    assert len({message["Message-ID"] for message in sink.messages}) == len(sink.messages) == 5
    assert count_rows(realm) == 0


def test_a_failure_ends_the_turn(realm: Realm, user_id: str) -> None:
    """A mail server that is down is asked once a second, not once for each mail."""
    for _ in range(3):
        tell(realm, user_id)
    failing = Troubled(Failed("down"))
    assert work_outbox(realm, post(failing)) == 1
    assert len(failing.messages) == 1


def test_a_mail_is_tried_for_a_day_and_then_given_up(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """Log and audit record name it, and have neither its address nor its link."""
    tell(realm, user_id)
    failing = Troubled(Failed("the mail server answered 451 to MAIL FROM"))
    began = clock.now()
    with capture_logs() as logs:
        for pause in PAUSES:
            assert work_outbox(realm, post(failing)) == 1
            clock.advance(pause - MOMENT)
            assert work_outbox(realm, post(failing)) == 0
            clock.advance(MOMENT)
        assert work_outbox(realm, post(failing)) == 1
    assert timedelta(hours=23) < clock.now() - began < DAY
    assert len(failing.messages) == len(PAUSES) + 1
    assert len({read_link(message) for message in failing.messages}) == 1
    assert count_rows(realm) == 0
    with realm.database.read() as tx:
        record = audit.list_of_user(tx, user_id)[0]
    assert (record.name, record.outcome, record.actor) == ("mail_given_up", "failure", Actor("server"))
    assert record.detail == {
        "template": "mfa_changed",
        "mail_id": str(failing.messages[0]["Message-ID"])[1:].partition("@")[0],
        "attempts": 9,
        "reason": "the mail server answered 451 to MAIL FROM",
    }
    assert [line["event"] for line in logs] == ["mail_put_off"] * 8 + ["mail_given_up"]
    assert EMAIL not in str(logs)
    assert "lt_" not in str(logs)


def test_a_recipient_who_is_refused_for_good_is_given_up_at_once(
    realm: Realm, user_id: str, mail_sink: SmtpSink
) -> None:
    tell(realm, user_id)
    mail_sink.answers["RCPT"] = f"550 5.1.1 <{EMAIL}> unknown"
    with capture_logs() as logs:
        work_outbox(realm, by_smtp(mail_sink))
    assert count_rows(realm) == 0
    with realm.database.read() as tx:
        record = audit.list_of_user(tx, user_id)[0]
    assert (record.name, record.detail["attempts"]) == ("mail_given_up", 1)
    assert EMAIL not in str((logs, record.detail))


def test_what_a_failure_says_is_not_logged(realm: Realm, user_id: str) -> None:
    """An exception that nobody foresaw may have anything in its text; it stops neither the worker nor other mails."""
    tell(realm, user_id)
    with capture_logs() as logs:
        work_outbox(realm, post(Troubled(ValueError)))
    assert [(line["event"], line["reason"]) for line in logs] == [("mail_put_off", "builtins.ValueError")]
    assert count_rows(realm) == 1


def test_a_request_that_cannot_be_answered_is_put_off(realm: Realm, user_id: str, clock: ManualClock) -> None:
    ask_reset(realm, EMAIL)
    with capture_logs() as logs:
        assert deliver_all(granting_nothing(realm)) == []
    assert [(line["event"], line["template"]) for line in logs] == [("mail_put_off", "mail_request:reset")]
    assert EMAIL not in str(logs)
    clock.advance(PAUSES[0])
    assert len(deliver_all(realm)) == 1


def test_nothing_is_open_in_the_database_while_a_mail_is_handed_over(realm: Realm, user_id: str) -> None:
    """A mail server may take its time; everybody else goes on writing."""

    class Writing(Mailbox):
        def deliver(self, message: EmailMessage, address: str) -> Delivered:
            pool = realm.database.engine.pool
            assert isinstance(pool, sqlalchemy.QueuePool)
            assert pool.checkedout() == 0
            with realm.database.write() as tx:
                users.lock(tx, user_id)
            return super().deliver(message, address)

    tell(realm, user_id)
    ask_reset(realm, EMAIL)
    mailbox = Writing()
    work_outbox(realm, post(mailbox))
    assert len(mailbox.messages) == 2
