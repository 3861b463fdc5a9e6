"""The use case of the outbox worker: grant wishes, write mails, hand them over. Any number of nodes work side by side.

At least once: whoever dies between handing a mail over and saying so leaves it to the next one, who writes the same
mail again, with the same link in it. No transaction is open while a mail is handed over. What is logged names the
template and the id of a mail, never its address or its link.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

import structlog

from authserver.account.grant_wishes import grant_wish
from authserver.deliveries.deliver import Deferred, Delivered, Delivery, Failed, Undeliverable
from authserver.mail.compose import Composer, UnusableTemplateError, WrittenLink
from authserver.mail.urgency import ROUTINE
from authserver.mail.wishes import WISHES
from authserver.protocol.audit_name import AuditName
from authserver.protocol.link_token import LinkToken, format_link_token
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.records.audit import SERVER
from authserver.records.failures import StorageUnavailableError
from authserver.records.link import MailLink
from authserver.records.queued_mail import QueuedMail
from authserver.records.registration import PendingRegistration
from authserver.storage import Transaction, audit, links, outbox, registrations
from authserver.trusted_time import Doubted
from authserver.upkeep.keep_time import Timekeeper

LEASE: Final = timedelta(seconds=60)
"""How long a claimed mail is left to whoever claimed it."""

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
PAUSES: Final = (_MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, 8 * _HOUR)
"""Between one attempt and the next: about a day. Then a mail is given up."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Post:
    """Who writes the mails, and who carries them."""

    composer: Composer
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class _Done:
    """The row is gone, or shall go."""


@dataclass(frozen=True, slots=True)
class _Unwritten:
    """The mail cannot be written now. `reason` is for the log, as in `Failed`."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Dead:
    """The mail is for nothing: its link works no more."""


def work_outbox(realm: Realm, post: Post, timekeeper: Timekeeper | None = None, *, most: int = 100) -> int:
    """Work on what is due, one after the other, until nothing is, or the way out fails; how many that were.

    After such a failure the rest waits for the next call: a mail server that is down should not be asked once per mail.
    A mail that fails for itself, or a recipient who is not served now, holds up no other. `timekeeper`: while it doubts
    the clock, no mail is dropped because its link has expired by that clock.
    """
    for count in range(most):
        mail = _claim(realm)
        if mail is None:
            return count
        if not _work_on(realm, post, mail, timekeeper):
            return count + 1
    return most


def _claim(realm: Realm) -> QueuedMail | None:
    now = realm.clock.now()
    with realm.database.read() as tx:
        if not outbox.is_any_due(tx, now):
            return None
    with realm.database.write() as tx:
        return outbox.claim(tx, now, until=now + LEASE)


def _work_on(realm: Realm, post: Post, mail: QueuedMail, timekeeper: Timekeeper | None) -> bool:
    """Bring `mail` to an end or put it off; False when that is because the way out fails."""
    outcome = _try(realm, post, mail, timekeeper)
    match outcome:
        case _Done():
            pass
        case Delivered():
            _remove(realm, mail)
        case _Dead():
            _log.info("mail_dropped", template=mail.template, mail_id=mail.mail_id)
            _remove(realm, mail)
        case Undeliverable(reason):
            _give_up(realm, mail, reason)
        case Deferred(reason, stalled):
            _try_later(realm, mail, reason)
            _hold_back(realm, mail, whole_domain=stalled)
        case _Unwritten(reason) | Failed(reason):
            _try_later(realm, mail, reason)
        case _:
            assert_never(outcome)
    return not isinstance(outcome, Failed)


def _try(
    realm: Realm, post: Post, mail: QueuedMail, timekeeper: Timekeeper | None
) -> Delivered | Deferred | Failed | Undeliverable | _Done | _Dead | _Unwritten:
    try:
        return _grant(realm, mail) if mail.template in WISHES else _send(realm, post, mail, timekeeper)
    except StorageUnavailableError:
        raise  # the lease ends by itself
    except UnusableTemplateError as error:
        return _Unwritten(str(error))
    except Exception as error:  # noqa: BLE001 - one mail's failure is not the others', and its text may hold anything
        return _Unwritten(f"{type(error).__module__}.{type(error).__qualname__}")


def _grant(realm: Realm, wish: QueuedMail) -> _Done:
    with realm.database.write() as tx:
        grant_wish(tx, realm, wish, realm.clock.now())
    return _Done()


def _send(
    realm: Realm, post: Post, mail: QueuedMail, timekeeper: Timekeeper | None
) -> Delivered | Deferred | Failed | Undeliverable | _Dead | _Unwritten:
    link = None if mail.link_id is None else _write_link(realm, mail.link_id, realm.clock.now())
    if isinstance(link, _Dead) and timekeeper is not None and isinstance(timekeeper.look(), Doubted):
        return _Unwritten("its link is over by a clock that is doubted")
    if isinstance(link, _Dead | _Unwritten):
        return link
    return post.delivery.deliver(post.composer.compose(mail, link), mail.address)


def _write_link(realm: Realm, link_id: bytes, now: datetime) -> WrittenLink | _Dead | _Unwritten:
    """The link, written with the MAC key that was settled for it once and for all, or is now."""
    link = _settle_mac_key(realm, link_id, now)
    if link is None or link.mac_kid is None:
        return _Dead()
    mac_key = realm.keyring.find_mac_key(link.mac_kid)
    if mac_key is None:
        return _Unwritten(f"this node does not know the MAC key {link.mac_kid} yet")
    token = format_link_token(LinkToken(mac_key.kid, link.link_id), mac_key.secret)
    return WrittenLink(link.purpose, Secret(token), link.expires_at)


def _settle_mac_key(realm: Realm, link_id: bytes, now: datetime) -> MailLink | PendingRegistration | None:
    keyring = realm.keyring.current
    with realm.database.read() as tx:
        link = _find_live(tx, link_id, now)
    if link is None or (link.mac_kid is not None and keyring.find_ended_mac_key(link.mac_kid) is None):
        return link
    with realm.database.write() as tx:
        # What an ended key wrote is dead wherever it is: the mail then goes out again under a living one.
        kept = links if isinstance(link, MailLink) else registrations
        kept.fix_mac_key(tx, link_id, keyring.mac_key.kid, instead_of=link.mac_kid)
        return _find_live(tx, link_id, now)


def _find_live(tx: Transaction, link_id: bytes, now: datetime) -> MailLink | PendingRegistration | None:
    """The link of a user, or of a registration."""
    return links.find_live(tx, link_id, now) or registrations.find_live(tx, link_id, now)


def _remove(realm: Realm, mail: QueuedMail) -> None:
    with realm.database.write() as tx:
        outbox.remove(tx, mail.mail_id)


def _try_later(realm: Realm, mail: QueuedMail, reason: str) -> None:
    if mail.attempts > len(PAUSES):
        _give_up(realm, mail, reason)
        return
    pause = PAUSES[mail.attempts - 1]
    _log.warning(
        "mail_put_off",
        template=mail.template,
        mail_id=mail.mail_id,
        attempts=mail.attempts,
        reason=reason,
        seconds=int(pause.total_seconds()),
    )
    with realm.database.write() as tx:
        outbox.postpone(tx, mail, realm.clock.now() + pause)


def _hold_back(realm: Realm, mail: QueuedMail, *, whole_domain: bool) -> None:
    """Spare the recipient who is not served now other attempts for a while, so that his mails stay in their order.

    Where the answer took long, the routine mails to his domain, too: each might take as long, and others wait for it.
    Urgent ones never: whoever has one bad address at a domain must not delay the resets of everybody there.
    """
    now = realm.clock.now()
    with realm.database.write() as tx:
        outbox.hold_back(tx, mail.address, now, until=now + PAUSES[0])
        if whole_domain:
            domain = mail.address.rpartition("@")[2]
            outbox.hold_domain_back(tx, domain, now, rank=ROUTINE, until=now + PAUSES[0])


def _give_up(realm: Realm, mail: QueuedMail, reason: str) -> None:
    _log.error("mail_given_up", template=mail.template, mail_id=mail.mail_id, attempts=mail.attempts, reason=reason)
    with realm.database.write() as tx:
        link = None if mail.link_id is None else links.find(tx, mail.link_id)
        if outbox.remove(tx, mail.mail_id):
            audit.write(
                tx,
                AuditName.MAIL_GIVEN_UP,
                by=SERVER,
                now=realm.clock.now(),
                entropy=realm.entropy,
                outcome="failure",
                user_id=None if link is None else link.user_id,
                detail={
                    "template": mail.template,
                    "mail_id": mail.mail_id,
                    "attempts": mail.attempts,
                    "reason": reason,
                },
            )
