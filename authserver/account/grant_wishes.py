"""The kind `wish`: looks up the address in an anonymous request (a wish), and queues the mail for its owner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar, final

from authserver.credentials.link_pace import DAY, choose_lifetime
from authserver.credentials.notice import Notice
from authserver.deliveries.kind import PAUSES
from authserver.deliveries.outcome import Outcome, Settled, Unready
from authserver.mail.queue import queue_confirmation, queue_mail
from authserver.mail.wishes import REGISTER_WISH, RESEND_WISH, RESET_WISH, WISHES
from authserver.protocol.audit_name import AuditName
from authserver.protocol.entropy import new_id
from authserver.protocol.link_token import LINK_ID_BYTES
from authserver.realm import Realm
from authserver.records.delivery import Delivery
from authserver.records.link import LinkPurpose
from authserver.records.registration import PendingRegistration
from authserver.records.user import Standing, User
from authserver.records.wish import WISH, Wish, read_wish
from authserver.storage import Transaction, deliveries, links, registrations, users

WAITING_REGISTRATIONS = 5
"""The most waiting registrations of one address; another one replaces the oldest."""

REGISTRATION_WAITS = timedelta(days=7)
"""How long after a registration another link to it can be mailed."""


@final
@dataclass(frozen=True, slots=True)
class Wishes:
    """The wishes of one installation. The log calls them mails, because operators look for a missing mail."""

    name: ClassVar[str] = WISH
    word: ClassVar[str] = "mail"
    given_up: ClassVar[AuditName] = AuditName.MAIL_GIVEN_UP
    pauses: ClassVar[Sequence[timedelta]] = PAUSES

    realm: Realm

    def attempt(self, delivery: Delivery) -> Outcome:
        """Grant the wish, and remove it from the outbox in the same transaction."""
        wish = read_wish(delivery)
        if wish.name not in WISHES:
            return Unready("this release knows no such wish")
        with self.realm.database.write() as tx:
            _grant(tx, self.realm, wish, self.realm.clock.now())
        return Settled()

    def describe(self, delivery: Delivery) -> Mapping[str, str]:
        """Return the name and the id of the wish."""
        return {"template": f"wish:{delivery.payload.get('name')}", "mail_id": delivery.delivery_id}

    def find_user(self, tx: Transaction, delivery: Delivery) -> None:
        """Find nobody: the address was not looked up."""
        del tx, delivery


def _grant(tx: Transaction, realm: Realm, wish: Wish, now: datetime) -> None:
    """Remove `wish` from the outbox, and do what it asks for; nothing if another worker has removed it."""
    if not deliveries.remove(tx, wish.wish_id):
        return
    user = users.find_by_email(tx, wish.address)
    match wish.name:
        case _ if wish.name == RESET_WISH:
            _offer_reset(tx, realm, user, now)
        case _ if wish.name == RESEND_WISH:
            _offer_confirmation(tx, realm, user, wish.address, now)
        case _ if wish.name == REGISTER_WISH:
            _register(tx, realm, user, wish, now)


def _offer_reset(tx: Transaction, realm: Realm, user: User | None, now: datetime) -> None:
    if user is not None:
        _mail_reset(tx, realm, user, "password_reset_asked", now)


def _mail_reset(tx: Transaction, realm: Realm, user: User, template: str, now: datetime) -> None:
    """Mail a link for a new password. All mails with such a link share one pace, regardless of the wish."""
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


def _register(tx: Transaction, realm: Realm, user: User | None, wish: Wish, now: datetime) -> None:
    """Store the registration with its link, and mail that; no user is created before the link is used."""
    if user is not None:
        _mail_reset(tx, realm, user, "register_taken" if user.email_verified else "confirm_account", now)
        return
    if links.is_reserved(tx, wish.address, now):
        return
    # A wish that an earlier release queued has no time.
    asked_at = datetime.fromtimestamp(int(wish.parameters.get("at") or now.timestamp()), UTC)
    registration = PendingRegistration(
        registration_id=new_id(realm.entropy),
        address=wish.address,
        name=str(wish.parameters["name"]),
        password_hash=str(wish.parameters["password_hash"]),
        asked_at=asked_at,
        kept_until=asked_at + REGISTRATION_WAITS,
        mac_kid=None,
        link_id=b"",
        issued_at=now,
        expires_at=now,
    )
    waiting = registrations.list_kept(tx, wish.address, now)
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
