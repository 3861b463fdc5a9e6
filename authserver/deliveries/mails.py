"""The kind `mail`: composes a queued mail with its link, and hands it to a carrier.

Every copy of a mail is the same, and contains the same link.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import ClassVar, Protocol, final

from authserver.clock import Clock
from authserver.credentials.events.base import Subject
from authserver.deliveries.kind import PAUSES
from authserver.deliveries.outcome import Deferred, Delivered, Failed, Needless, Outcome, Undeliverable, Unready
from authserver.keyring.live import LiveKeyring
from authserver.mail.compose import Composer, UnusableTemplateError, WrittenLink
from authserver.protocol import base64url
from authserver.protocol.audit_name import AuditName
from authserver.protocol.link_token import LinkToken, format_link_token
from authserver.protocol.secret import Secret
from authserver.records.delivery import Delivery
from authserver.records.link import MailLink
from authserver.records.queued_mail import MAIL, read_mail
from authserver.records.registration import PendingRegistration
from authserver.storage import Database, Transaction, links, registrations


class Carrier(Protocol):
    """A way of delivery for mails. Call it without an open transaction, because it may take long."""

    def deliver(self, message: EmailMessage, address: str) -> Delivered | Deferred | Failed | Undeliverable:
        """Hand `message` over, to be delivered to `address`."""


@dataclass(frozen=True, slots=True)
class Post:
    """What composes mails, and what delivers them."""

    composer: Composer
    carrier: Carrier


@final
@dataclass(frozen=True, slots=True)
class Mails:
    """Mails of one installation. While `doubts_clock` is true, no mail is dropped because its link has expired."""

    name: ClassVar[str] = MAIL
    word: ClassVar[str] = "mail"
    given_up: ClassVar[AuditName] = AuditName.MAIL_GIVEN_UP
    pauses: ClassVar[Sequence[timedelta]] = PAUSES
    is_persistent: ClassVar[bool] = False
    is_ordered: ClassVar[bool] = False

    post: Post
    database: Database
    keyring: LiveKeyring
    clock: Clock
    doubts_clock: Callable[[], bool]

    def attempt(self, delivery: Delivery) -> Outcome:
        """Compose the mail and hand it to the carrier, unless its link no longer works."""
        mail = read_mail(delivery)
        link = None if mail.link_id is None else self._write_link(mail.link_id, self.clock.now())
        if isinstance(link, Needless) and self.doubts_clock():
            return Unready("its link is over by a clock that is doubted")
        if isinstance(link, Needless | Unready):
            return link
        try:
            message = self.post.composer.compose(mail, link)
        except UnusableTemplateError as error:
            return Unready(str(error))
        return self.post.carrier.deliver(message, mail.address)

    def describe(self, delivery: Delivery) -> Mapping[str, str]:
        """Return the template and the id of the mail."""
        return {"template": str(delivery.payload.get("template")), "mail_id": delivery.delivery_id}

    def find_subject(self, tx: Transaction, delivery: Delivery) -> Subject:
        """Find the user of the mail's link; nobody if it has no link."""
        link_id = delivery.payload.get("link_id")
        link = None if link_id is None else links.find(tx, base64url.decode(link_id))
        return Subject(None if link is None else link.user_id)

    def _write_link(self, link_id: bytes, now: datetime) -> WrittenLink | Needless | Unready:
        """Write the link with the MAC key that the first attempt chose for it."""
        link = self._settle_mac_key(link_id, now)
        if link is None or link.mac_kid is None:
            return Needless()
        mac_key = self.keyring.find_mac_key(link.mac_kid)
        if mac_key is None:
            return Unready(f"this node does not know the MAC key {link.mac_kid} yet")
        token = format_link_token(LinkToken(mac_key.kid, link.link_id), mac_key.secret)
        return WrittenLink(link.purpose, Secret(token), link.expires_at)

    def _settle_mac_key(self, link_id: bytes, now: datetime) -> MailLink | PendingRegistration | None:
        keyring = self.keyring.current
        with self.database.read() as tx:
            link = _find_live(tx, link_id, now)
        if link is None or (link.mac_kid is not None and keyring.find_ended_mac_key(link.mac_kid) is None):
            return link
        with self.database.write() as tx:
            # Links of an ended key work nowhere, so the mail is sent again with a link of the current key.
            kept = links if isinstance(link, MailLink) else registrations
            kept.fix_mac_key(tx, link_id, keyring.mac_key.kid, instead_of=link.mac_kid)
            return _find_live(tx, link_id, now)


def _find_live(tx: Transaction, link_id: bytes, now: datetime) -> MailLink | PendingRegistration | None:
    """Find the live link of a user or of a registration."""
    return links.find_live(tx, link_id, now) or registrations.find_live(tx, link_id, now)
