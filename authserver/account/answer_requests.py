"""The kind `mail_request`: looks up the address in an anonymous request, and queues the mail for its owner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar, final

from authserver.credentials.events.base import Subject
from authserver.credentials.link_pace import DAY, choose_lifetime
from authserver.credentials.notice import Notice
from authserver.deliveries.kind import PAUSES
from authserver.deliveries.outcome import Outcome, Settled, Unready
from authserver.mail.queue import queue_confirmation, queue_mail
from authserver.mail.requests import REGISTER_REQUEST, REQUESTS, RESEND_REQUEST, RESET_REQUEST
from authserver.protocol.audit_name import AuditName
from authserver.protocol.entropy import new_id
from authserver.protocol.link_token import LINK_ID_BYTES
from authserver.realm import Realm
from authserver.records.delivery import Delivery
from authserver.records.link import LinkPurpose
from authserver.records.mail_request import MAIL_REQUEST, MailRequest, read_mail_request
from authserver.records.registration import PendingRegistration
from authserver.records.user import Standing, User
from authserver.storage import Transaction, deliveries, links, registrations, users

WAITING_REGISTRATIONS = 5
"""The most waiting registrations of one address; another one replaces the oldest."""

REGISTRATION_WAITS = timedelta(days=7)
"""How long after a registration another link to it can be mailed."""


@final
@dataclass(frozen=True, slots=True)
class MailRequests:
    """The requests of one installation. The log calls them mails, because operators look for a missing mail."""

    name: ClassVar[str] = MAIL_REQUEST
    word: ClassVar[str] = "mail"
    given_up: ClassVar[AuditName] = AuditName.MAIL_GIVEN_UP
    pauses: ClassVar[Sequence[timedelta]] = PAUSES
    is_persistent: ClassVar[bool] = False
    is_ordered: ClassVar[bool] = False

    realm: Realm

    def attempt(self, delivery: Delivery) -> Outcome:
        """Answer the request, and remove it from the outbox in the same transaction."""
        asked = read_mail_request(delivery)
        if asked.name not in REQUESTS:
            return Unready("this release knows no such request")
        with self.realm.database.write() as tx:
            _answer(tx, self.realm, asked, self.realm.clock.now())
        return Settled()

    def describe(self, delivery: Delivery) -> Mapping[str, str]:
        """Return the name and the id of the request."""
        return {"template": f"{MAIL_REQUEST}:{delivery.payload.get('name')}", "mail_id": delivery.delivery_id}

    def find_subject(self, tx: Transaction, delivery: Delivery) -> Subject:
        """Find nobody: the address was not looked up."""
        del tx, delivery
        return Subject()


def _answer(tx: Transaction, realm: Realm, asked: MailRequest, now: datetime) -> None:
    """Remove `asked` from the outbox, and do what it asks for; nothing if another worker has removed it."""
    if not deliveries.remove(tx, asked.request_id):
        return
    user = users.find_by_email(tx, asked.address)
    match asked.name:
        case _ if asked.name == RESET_REQUEST:
            _offer_reset(tx, realm, user, now)
        case _ if asked.name == RESEND_REQUEST:
            _offer_confirmation(tx, realm, user, asked.address, now)
        case _ if asked.name == REGISTER_REQUEST:
            _register(tx, realm, user, asked, now)


def _offer_reset(tx: Transaction, realm: Realm, user: User | None, now: datetime) -> None:
    if user is not None:
        _mail_reset(tx, realm, user, "password_reset_asked", now)


def _mail_reset(tx: Transaction, realm: Realm, user: User, template: str, now: datetime) -> None:
    """Mail a link for a new password. All mails with such a link share one pace, regardless of the request."""
    if user.standing is not Standing.DISABLED:
        _mail_link(tx, realm, user, template, LinkPurpose.RESET_PASSWORD, now)


def _mail_link(tx: Transaction, realm: Realm, user: User, template: str, purpose: LinkPurpose, now: datetime) -> None:
    """Mail a link to the user's own address, unless the pace is exhausted and earlier links still work."""
    users.lock(tx, user.user_id)
    mailed = links.list_mailed(tx, user.user_id, purpose, since=now - DAY)
    lifetime = choose_lifetime(purpose, mailed, now)
    if lifetime is not None:
        notice = Notice(template, user.email, purpose)
        queue_mail(tx, notice, user=user, now=now, entropy=realm.entropy, link_lifetime=lifetime)


def _offer_confirmation(tx: Transaction, realm: Realm, user: User | None, address: str, now: datetime) -> None:
    """Mail links that prove the address: one for each waiting registration, or one for an unproven account."""
    if user is not None:
        if not user.email_verified:
            _mail_reset(tx, realm, user, "confirm_account", now)
        return
    waiting = registrations.list_kept(tx, address, now)
    for registration in waiting:
        _mail_registration(tx, realm, registration, now, others=len(waiting) - 1)


def _register(tx: Transaction, realm: Realm, user: User | None, asked: MailRequest, now: datetime) -> None:
    """Store the registration with its link, and mail that; no user is created before the link is used."""
    if user is not None:
        _mail_reset(tx, realm, user, "register_taken" if user.email_verified else "confirm_account", now)
        return
    if links.is_reserved(tx, asked.address, now):
        return
    # A request that an earlier release queued has no time.
    asked_at = datetime.fromtimestamp(int(asked.parameters.get("at") or now.timestamp()), UTC)
    registration = PendingRegistration(
        registration_id=new_id(realm.entropy),
        address=asked.address,
        name=str(asked.parameters["name"]),
        password_hash=str(asked.parameters["password_hash"]),
        asked_at=asked_at,
        kept_until=asked_at + REGISTRATION_WAITS,
        mac_kid=None,
        link_id=b"",
        issued_at=now,
        expires_at=now,
    )
    waiting = registrations.list_kept(tx, asked.address, now)
    if _mail_registration(tx, realm, registration, now, others=len(waiting)):
        registrations.end(tx, [one.registration_id for one in waiting[WAITING_REGISTRATIONS - 1 :]], now)


def _mail_registration(
    tx: Transaction, realm: Realm, registration: PendingRegistration, now: datetime, *, others: int
) -> bool:
    """Store a new link to the registration and mail it; False if the pace of its address is exhausted."""
    purpose = registration.purpose
    mailed = registrations.list_mailed(tx, registration.address, since=now - DAY)
    lifetime = choose_lifetime(purpose, mailed, now)
    if lifetime is None:
        return False
    link_id = realm.entropy(LINK_ID_BYTES)
    row = replace(registration, link_id=link_id, mac_kid=None, issued_at=now, expires_at=now + lifetime)
    registrations.add(tx, row)
    queue_confirmation(tx, row, others=others, now=now, entropy=realm.entropy)
    return True
