"""What the outbox worker does about a wish: look the address up, and queue the mail that its owner shall get."""

from datetime import datetime, timedelta

from authserver.credentials.links import LinkPurpose
from authserver.credentials.notice import Notice
from authserver.mail.queue import queue_mail
from authserver.mail.wishes import REGISTER_WISH, RESEND_WISH, RESET_WISH
from authserver.protocol.entropy import new_id
from authserver.realm import Realm
from authserver.sessions.family import Standing
from authserver.storage import Transaction, links, outbox, users
from authserver.storage.outbox import QueuedMail
from authserver.storage.users import NewUser, User

LIVE_RESET_LINKS = 3
"""So that a stranger who asks for resets does not kill the owner's link (design §5)."""

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_RESETS_AN_HOUR = 3
_QUICK_RESETS_A_DAY = 6
_SLOW_RESET_PAUSE = timedelta(hours=2)


def grant_wish(tx: Transaction, realm: Realm, wish: QueuedMail, now: datetime) -> None:
    """Do what `wish` asks for, if there is anything to do, and take it out of the outbox."""
    if not outbox.remove(tx, wish.mail_id):
        return
    user = users.find_by_email(tx, wish.address)
    match wish.template:
        case _ if wish.template == RESET_WISH:
            _offer_reset(tx, realm, user, now)
        case _ if wish.template == RESEND_WISH:
            _offer_confirmation(tx, realm, user, now)
        case _ if wish.template == REGISTER_WISH:
            _register(tx, realm, user, wish, now)


def _offer_reset(tx: Transaction, realm: Realm, user: User | None, now: datetime) -> None:
    if user is None or user.standing is Standing.DISABLED:
        return
    users.lock(tx, user.user_id)
    if _may_mail_reset(tx, user.user_id, now):
        notice = Notice("password_reset_asked", user.email, LinkPurpose.RESET_PASSWORD)
        queue_mail(tx, notice, user=user, now=now, entropy=realm.entropy)


def _may_mail_reset(tx: Transaction, user_id: str, now: datetime) -> bool:
    """Neither more live links than three, nor a flooded mailbox. Whoever asked, the links reach the owner."""
    reset = LinkPurpose.RESET_PASSWORD
    if links.count_live(tx, user_id, reset, now) >= LIVE_RESET_LINKS:
        return False
    if links.count_issued(tx, user_id, reset, since=now - _HOUR) >= _RESETS_AN_HOUR:
        return False
    if links.count_issued(tx, user_id, reset, since=now - _DAY) < _QUICK_RESETS_A_DAY:
        return True
    return links.count_issued(tx, user_id, reset, since=now - _SLOW_RESET_PAUSE) == 0


def _offer_confirmation(tx: Transaction, realm: Realm, user: User | None, now: datetime) -> None:
    if user is None or user.email_verified or user.standing is Standing.DISABLED:
        return
    users.lock(tx, user.user_id)
    if links.count_issued(tx, user.user_id, LinkPurpose.CONFIRM_EMAIL, since=now - _HOUR) < _RESETS_AN_HOUR:
        notice = Notice("confirm_email", user.email, LinkPurpose.CONFIRM_EMAIL)
        queue_mail(tx, notice, user=user, now=now, entropy=realm.entropy)


def _register(tx: Transaction, realm: Realm, user: User | None, wish: QueuedMail, now: datetime) -> None:
    if user is not None:
        if links.count_issued(tx, user.user_id, LinkPurpose.RESET_PASSWORD, since=now - _HOUR) < _RESETS_AN_HOUR:
            notice = Notice("register_taken", user.email, LinkPurpose.RESET_PASSWORD)
            queue_mail(tx, notice, user=user, now=now, entropy=realm.entropy)
        return
    if links.is_reserved(tx, wish.address, now):
        return
    new = NewUser(
        user_id=new_id(realm.entropy),
        email=wish.address,
        name=str(wish.parameters["name"]),
        password_hash=str(wish.parameters["password_hash"]),
        roles=(),
        email_verified=False,
    )
    if users.add(tx, new, now):
        added = users.load(tx, new.user_id)
        notice = Notice("confirm_email", added.email, LinkPurpose.CONFIRM_EMAIL)
        queue_mail(tx, notice, user=added, now=now, entropy=realm.entropy)
