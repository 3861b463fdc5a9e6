"""The outbox: what is queued becomes a mail, once what caused it is committed, and while its link works."""

import dataclasses
from datetime import timedelta

import pytest
import sqlalchemy

from authserver.account.register import ask_confirmation, register
from authserver.account.reset_password import ask_reset
from authserver.credentials.events import MfaChanged, UserDeleted
from authserver.credentials.notice import Notice
from authserver.mail.queue import queue_mail
from authserver.protocol.secret import Secret
from authserver.realm import Realm, Registration
from authserver.records.audit import Actor
from authserver.records.delivery import Delivery, Rank
from authserver.records.link import LinkPurpose
from authserver.records.mail_request import MailRequest
from authserver.records.queued_mail import QueuedMail
from authserver.records.session import Ended
from authserver.storage import deliveries, links, users
from authserver.storage.schema import MailLink, QueuedDelivery
from authserver.upkeep.work_outbox import work_outbox
from tests.support.people.mail import Mailbox, deliver_all, read_link, read_text
from tests.support.people.outbox import Killed, count_rows, is_reset_by, load_link_id, post, tell
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, PASSWORD, add_user

MOMENT = timedelta(seconds=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def user_id(realm: Realm) -> str:
    return add_user(realm)


def test_a_request_becomes_a_mail_whose_link_works_once(realm: Realm, user_id: str) -> None:
    ask_reset(realm, EMAIL)
    (message,) = deliver_all(realm)
    assert (message["To"], message["Subject"]) == (EMAIL, "Choose a new password")
    assert is_reset_by(realm, message)
    (told,) = deliver_all(realm)
    assert told["Subject"] == "Your password was reset"
    assert not is_reset_by(realm, message)


def test_nothing_is_sent_that_was_not_committed(realm: Realm, user_id: str) -> None:

    def die_before_the_commit() -> None:
        with realm.database.write() as tx:
            realm.revocation.apply(tx, MfaChanged(user_id), by=Actor("test"), now=realm.clock.now())
            raise Killed

    with pytest.raises(Killed):
        die_before_the_commit()
    assert deliver_all(realm) == []


def test_a_request_about_nobody_is_forgotten(realm: Realm) -> None:
    """ASVS 6.3.8: whoever asked has been answered long ago."""
    ask_reset(realm, "nobody@example.test")
    ask_confirmation(realm, "nobody@example.test")
    assert deliver_all(realm) == []
    assert count_rows(realm) == 0


def test_no_usable_link_is_stored(realm: Realm, user_id: str) -> None:
    """ASVS 6.4.1: a copy of the database is worth no link, before the mail is sent or after."""
    tell(realm, user_id)
    with realm.database.read() as tx:
        queued = str(tx.execute(sqlalchemy.select(QueuedDelivery.__table__)).all())
    token = read_link(*deliver_all(realm))
    with realm.database.read() as tx:
        kept = str(tx.execute(sqlalchemy.select(MailLink.__table__)).all())
    assert "lt_" not in queued + kept
    assert token not in queued + kept


@pytest.mark.parametrize("end", ["used", "ended", "expired", "gone"])
def test_a_mail_whose_link_works_no_more_is_dropped(realm: Realm, user_id: str, clock: ManualClock, end: str) -> None:
    ask_reset(realm, EMAIL)
    work_outbox(realm, post(Mailbox()), most=1)  # the request; the mail is left
    link_id = load_link_id(realm)
    with realm.database.write() as tx:
        if end == "used":
            links.use(tx, link_id, clock.now())
        if end == "ended":
            links.end_pending(tx, user_id, Ended(clock.now(), "test", soft_logout=False))
        if end == "gone":
            realm.revocation.apply(tx, UserDeleted(user_id), by=Actor("test"), now=clock.now())
    if end == "expired":
        clock.advance(LinkPurpose.RESET_PASSWORD.lifetime)
    subjects = [message["Subject"] for message in deliver_all(realm)]
    assert subjects == (["Your account was deleted"] if end == "gone" else [])
    assert count_rows(realm) == 0


def test_a_mail_of_a_later_release_is_left_to_its_nodes(realm: Realm, clock: ManualClock) -> None:
    """While a release is rolled out, old nodes meet mails, requests and kinds that they do not know."""
    queued = (
        QueuedMail("mail", "from_tomorrow", EMAIL, None, {"at": 0}).as_delivery(),
        MailRequest("request", "from_tomorrow", EMAIL, {"at": 0}).as_delivery(),
        Delivery("kind", "from_tomorrow", EMAIL, {}),
    )
    with realm.database.write() as tx:
        for delivery in queued:
            deliveries.queue(tx, delivery, clock.now(), rank=Rank.URGENT)
    assert deliver_all(realm) == []
    with realm.database.read() as tx:
        left = tx.execute(sqlalchemy.select(QueuedDelivery.delivery_id, QueuedDelivery.attempts)).all()
    assert sorted(left) == [("kind", 0), ("mail", 1), ("request", 1)]


def test_a_name_is_written_only_to_an_address_that_is_proven(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """Else anybody could have his words, as a name, mailed to anybody by this server."""
    careful = dataclasses.replace(realm, registration=Registration(open=True, require_verified_email=True))
    register(careful, email="victim@example.test", password=Secret(PASSWORD), name="WIN AT EVIL.EXAMPLE")
    (confirm,) = deliver_all(realm)
    register(careful, email="victim@example.test", password=Secret(PASSWORD), name="WIN AT EVIL.EXAMPLE")
    (taken,) = deliver_all(realm)
    with realm.database.write() as tx:
        user = users.load(tx, user_id)
        for address in (user.email, "victim@example.test"):
            notice = Notice("email_change", address, LinkPurpose.CHANGE_EMAIL)
            queue_mail(tx, notice, user=user, now=clock.now(), entropy=realm.entropy)
            clock.advance(MOMENT)
    own, other = deliver_all(realm)
    assert "Hello Ada," in read_text(own)
    for message in (confirm, taken, other):
        assert read_text(message).startswith("Hello,\n")
        assert "EVIL" not in message.as_string()
