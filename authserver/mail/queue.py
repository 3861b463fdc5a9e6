"""Queues a mail, with its link, in the transaction that causes it."""

from datetime import datetime, timedelta

from authserver.credentials.notice import Notice
from authserver.mail.urgency import rank
from authserver.protocol.entropy import Entropy, new_id
from authserver.protocol.link_token import LINK_ID_BYTES
from authserver.records.link import LinkPurpose, MailLink
from authserver.records.queued_mail import Parameters, QueuedMail
from authserver.records.registration import PendingRegistration
from authserver.records.user import User
from authserver.storage import Transaction, deliveries, links


def queue_mail(
    tx: Transaction,
    notice: Notice,
    *,
    user: User,
    now: datetime,
    entropy: Entropy,
    sid: str | None = None,
    parameters: Parameters | None = None,
    link_lifetime: timedelta | None = None,
) -> None:
    """Queue the mail that `notice` describes, about `user`. The link records `sid`, the session that asked.

    The link works for `link_lifetime`; None: for the usual lifetime of its purpose.

    The mail contains the user's name only if the address is verified. Otherwise a stranger could send any text, given
    as a name, to any address.
    """
    is_his = user.email_verified and notice.address == user.email
    link = (
        None
        if notice.link is None
        else _issue_link(
            tx, notice.link, notice.address, user, sid, now, now + (link_lifetime or notice.link.lifetime), entropy
        )
    )
    mail = QueuedMail(
        mail_id=new_id(entropy),
        template=notice.template,
        address=notice.address,
        link_id=None if link is None else link.link_id,
        parameters={"name": user.name if is_his else "", "at": int(now.timestamp()), **(parameters or {})},
    )
    deliveries.queue(tx, mail.as_delivery(), now, rank=rank(notice.template))


def queue_confirmation(
    tx: Transaction, registration: PendingRegistration, *, others: int, now: datetime, entropy: Entropy
) -> None:
    """Queue the mail with the link of a registration. It contains no name, because anybody may have typed it.

    `others` is the number of other pending registrations of the address, whose mails differ only in the time.
    """
    at, asked = int(now.timestamp()), int(registration.asked_at.timestamp())
    mail = QueuedMail(
        mail_id=new_id(entropy),
        template="confirm_email",
        address=registration.address,
        link_id=registration.link_id,
        parameters={"name": "", "at": at, "asked": asked, "others": others},
    )
    deliveries.queue(tx, mail.as_delivery(), now, rank=rank(mail.template))


def _issue_link(
    tx: Transaction,
    purpose: LinkPurpose,
    address: str,
    user: User,
    sid: str | None,
    now: datetime,
    expires_at: datetime,
    entropy: Entropy,
) -> MailLink:
    link = MailLink(
        link_id=entropy(LINK_ID_BYTES),
        purpose=purpose,
        user_id=user.user_id,
        address=address,
        sid=sid,
        mac_kid=None,
        issued_at=now,
        expires_at=expires_at,
    )
    links.add(tx, link)
    return link
