"""What the outbox worker does about a wish: look the address up, and queue the mail that its owner shall get."""

from datetime import datetime

from authserver.accounts.register import record_created
from authserver.credentials.link_pace import DAY, choose_lifetime
from authserver.credentials.links import LinkPurpose
from authserver.credentials.notice import Notice
from authserver.mail.queue import queue_mail
from authserver.mail.wishes import REGISTER_WISH, RESEND_WISH, RESET_WISH
from authserver.protocol.entropy import new_id
from authserver.realm import Realm
from authserver.sessions.family import Standing
from authserver.storage import Transaction, links, outbox, users
from authserver.storage.audit import SERVER
from authserver.storage.outbox import QueuedMail
from authserver.storage.users import NewUser, User


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
    if user is not None:
        _mail_reset(tx, realm, user, "password_reset_asked", now)


def _mail_reset(tx: Transaction, realm: Realm, user: User, template: str, now: datetime) -> None:
    """Mail a link for a new password, whichever wish it answers: all of them together have one pace."""
    if user.standing is not Standing.DISABLED:
        _mail_link(tx, realm, user, template, LinkPurpose.RESET_PASSWORD, now)


def _mail_link(tx: Transaction, realm: Realm, user: User, template: str, purpose: LinkPurpose, now: datetime) -> None:
    """Mail a link to the user's own address, unless as many as may be were mailed, and work."""
    users.lock(tx, user.user_id)
    mailed = links.list_mailed(tx, user.user_id, purpose, since=now - DAY)
    lifetime = choose_lifetime(purpose, mailed, now)
    if lifetime is not None:
        notice = Notice(template, user.email, purpose)
        queue_mail(tx, notice, user=user, now=now, entropy=realm.entropy, link_lifetime=lifetime)


def _offer_confirmation(tx: Transaction, realm: Realm, user: User | None, now: datetime) -> None:
    if user is None or user.email_verified or user.standing is Standing.DISABLED:
        return
    _mail_link(tx, realm, user, "confirm_email", LinkPurpose.CONFIRM_EMAIL, now)


def _register(tx: Transaction, realm: Realm, user: User | None, wish: QueuedMail, now: datetime) -> None:
    if user is not None:
        _mail_reset(tx, realm, user, "register_taken", now)
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
        record_created(tx, new, by=SERVER, now=now, entropy=realm.entropy)
        added = users.load(tx, new.user_id)
        notice = Notice("confirm_email", added.email, LinkPurpose.CONFIRM_EMAIL)
        queue_mail(tx, notice, user=added, now=now, entropy=realm.entropy)
