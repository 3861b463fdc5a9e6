"""Changes the user's address: both addresses get a mail, the new one confirms, the old one can revert it for 7 days."""

from datetime import datetime

from authserver.account.confirm_address import gives_way
from authserver.account.mailed_link import find_link, record_failed_link, use_link
from authserver.authentication.asker import Asker
from authserver.authentication.failed_proof import OVERTAKEN, confirm_by_password
from authserver.authentication.passwords import is_unchanged
from authserver.authentication.reauthentication import Recent
from authserver.credentials.email_address import InvalidEmail, canonicalise_email
from authserver.credentials.events import CompromiseReported, EmailChangeReverted
from authserver.credentials.notice import Notice
from authserver.mail.queue import queue_mail
from authserver.protocol.audit_name import AuditName
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import Invalid, Refused, TryLater
from authserver.records.field_error import FieldError
from authserver.records.link import LinkPurpose
from authserver.records.session import Ended
from authserver.records.user import Credentials, User
from authserver.revocation import Receipt
from authserver.storage import Transaction, links, users


def ask_email_change(
    realm: Realm, recent: Recent[Asker], *, new_email: str, password: Secret, ip: str | None = None
) -> Refused | Invalid | TryLater | None:
    """Queue a mail with a link to the new address, and a notice to the old one; None when that is done.

    The answer does not reveal whether another user has the new address; only the mail to it does.
    """
    asker = recent.asker
    address = canonicalise_email(new_email)
    if isinstance(address, InvalidEmail):
        return Invalid((FieldError("new_email", address.code, address.message),))
    credentials = confirm_by_password(realm, asker, password, act="change_email", ip=ip)
    if not isinstance(credentials, Credentials):
        return credentials
    return _send_links(realm, asker, credentials.user, address)


def revert_email(realm: Realm, token: str, ip: str) -> Receipt | Refused | TryLater:
    """Revert a change of address with the link mailed to the old one. The account is treated as stolen.

    Its password stops working, and the link for a new one is mailed only to the old address.
    """
    outcome = _revert(realm, token, ip)
    _record_failed(realm, token, outcome, ip, "revert_email")
    return outcome


def report_compromise(realm: Realm, token: str, ip: str) -> Receipt | Refused | TryLater:
    """Use the "this was not me" link of a notice: the owner of the address takes the account back."""
    outcome = _report(realm, token, ip)
    _record_failed(realm, token, outcome, ip, "report_compromise")
    return outcome


def _record_failed(realm: Realm, token: str, outcome: Receipt | Refused | TryLater, ip: str, act: str) -> None:
    if isinstance(outcome, Refused):
        record_failed_link(realm, token, outcome, ip, name=AuditName.LINK_FAIL, act=act)


def _revert(realm: Realm, token: str, ip: str) -> Receipt | Refused | TryLater:
    link = find_link(realm, token, LinkPurpose.REVERT_EMAIL)
    if isinstance(link, Refused | TryLater):
        return link
    return use_link(realm, link, EmailChangeReverted(link.user_id, link.address, link.issued_at), ip)


def _report(realm: Realm, token: str, ip: str) -> Receipt | Refused | TryLater:
    link = find_link(realm, token, LinkPurpose.NOT_ME)
    if isinstance(link, Refused | TryLater):
        return link
    return use_link(realm, link, CompromiseReported(link.user_id, link.address, link.issued_at), ip)


def _send_links(realm: Realm, asker: Asker, user: User, address: str) -> Refused | None:
    now = realm.clock.now()
    with realm.database.write() as tx:
        if not is_unchanged(tx, user):
            return OVERTAKEN
        links.end_purpose(tx, user.user_id, LinkPurpose.CHANGE_EMAIL, Ended(now, "replaced", soft_logout=False))
        holder = users.find_by_email(tx, address)
        other = None if holder is None or holder.user_id == user.user_id else holder
        to_new = _choose_notice(tx, user, address, other, now)
        for notice in (to_new, Notice("email_change_asked", user.email, LinkPurpose.NOT_ME)):
            parameters = {"replaces": notice is to_new and other is not None}
            queue_mail(tx, notice, user=user, sid=asker.sid, now=now, entropy=realm.entropy, parameters=parameters)
    return None


def _choose_notice(tx: Transaction, user: User, address: str, other: User | None, now: datetime) -> Notice:
    """Choose the mail to the new address: the link, or that it is taken. `other` is another user who has it."""
    is_free = other is None or gives_way(other)
    if is_free and not links.is_reserved(tx, address, now, but=user.user_id if other is None else other.user_id):
        return Notice("email_change", address, LinkPurpose.CHANGE_EMAIL)
    return Notice("email_taken", address)
