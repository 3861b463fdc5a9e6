"""The outbox in tests: queued mails, carriers, and failing carriers."""

from dataclasses import replace
from email.message import EmailMessage

import sqlalchemy

from authserver.account.reset_password import PasswordWasReset, reset_password
from authserver.credentials.events import MfaChanged
from authserver.deliveries.mails import Carrier, Post
from authserver.deliveries.outcome import Delivered, Failed, Undeliverable
from authserver.deliveries.smtp import SmtpCarrier
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.storage.schema import MailLink, PendingRegistration, QueuedDelivery
from tests.support.people.mail import SENDER, compose_as, read_link
from tests.support.wire.smtp import SmtpSink
from tests.support.world.realm import EMAIL, ISSUER


class Killed(BaseException):
    """Simulates the end of the process; no code catches it."""


class Troubled:
    """A carrier with a fixed outcome, which keeps the messages."""

    def __init__(self, outcome: Failed | Undeliverable | type[BaseException]) -> None:
        """Always return `outcome`, or raise it."""
        self._outcome = outcome
        self.messages: list[EmailMessage] = []

    def deliver(self, message: EmailMessage, address: str) -> Delivered | Failed | Undeliverable:
        """See `Carrier`."""
        self.messages.append(message)
        if isinstance(self._outcome, type):
            raise self._outcome(f"about {address}")
        return self._outcome


def post(carrier: Carrier) -> Post:
    """Deliver the mails of the test realm with `carrier`."""
    return Post(compose_as(ISSUER), carrier)


def by_smtp(sink: SmtpSink) -> Post:
    """Deliver the mails of the test realm to a real mail server."""
    return post(SmtpCarrier(sink.server, SENDER.addr_spec))


def tell(realm: Realm, user_id: str) -> None:
    """Queue a mail with a link that lives for a week."""
    with realm.database.write() as tx:
        realm.revocation.apply(tx, MfaChanged(user_id), by=Actor("test"), now=realm.clock.now())


def count_rows(realm: Realm, table: type[QueuedDelivery | MailLink | PendingRegistration] = QueuedDelivery) -> int:
    """Count the rows of mails or links."""
    with realm.database.read() as tx:
        return tx.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(table)).scalar_one()


def load_link_id(realm: Realm) -> bytes:
    """Return the id of the only link."""
    with realm.database.read() as tx:
        link_id: bytes = tx.execute(sqlalchemy.select(MailLink.__table__.c.link_id)).scalar_one()
    return link_id


def granting_nothing(realm: Realm) -> Realm:
    """Return `realm` as on a node that can make no links, so it can answer no request."""

    def fail(_: int) -> bytes:
        raise ValueError(EMAIL)

    return replace(realm, entropy=fail)


def is_reset_by(realm: Realm, message: EmailMessage) -> bool:
    """Whether the link in the mail sets a new password. This uses the link up."""
    outcome = reset_password(realm, read_link(message), Secret("a wholly different horse"), "192.0.2.1")
    return isinstance(outcome, PasswordWasReset)
