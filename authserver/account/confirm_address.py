"""Uses a mailed link that proves an address: of a registration, or of a change of address.

A registration creates no user before one of its links is used: no row in `users`, no working password, and no claim on
the address. The used link decides which password and name count; all other registrations of the address are removed
(decision 30).
"""

from authserver.account.mailed_link import (
    find_link,
    prove_link,
    record_failed_link,
    refuse_link,
    refuse_taken,
    use_link,
)
from authserver.account.register import record_created
from authserver.credentials.events import EmailChanged, UserDeleted
from authserver.protocol.audit_name import AuditName
from authserver.protocol.entropy import new_id
from authserver.realm import Realm
from authserver.realm.outcomes import Refused, TryLater
from authserver.records.audit import Actor
from authserver.records.link import LinkPurpose, MailLink
from authserver.records.registration import PendingRegistration
from authserver.records.user import NewUser, Standing, User
from authserver.revocation import Receipt
from authserver.storage import Transaction, registrations, users


def find_confirmation(realm: Realm, token: str) -> MailLink | PendingRegistration | Refused | TryLater:
    """Find the registration or change of address that `token` would confirm; refuse if its link does not work."""
    link_id = prove_link(realm, token)
    if not isinstance(link_id, bytes):
        return link_id
    with realm.database.read() as tx:
        registration = registrations.find_live(tx, link_id, realm.clock.now())
    return registration or find_link(realm, token, LinkPurpose.CHANGE_EMAIL)


def confirm_email(realm: Realm, token: str, ip: str) -> Receipt | Refused | TryLater | None:
    """Use a link that proves an address. Returns None for a registration, the receipt for a change of address."""
    outcome = _confirm(realm, token, ip)
    if isinstance(outcome, Refused):
        record_failed_link(realm, token, outcome, ip, name=AuditName.LINK_FAIL, act="confirm_email")
    return outcome


def refuse_registration(realm: Realm, token: str) -> Refused | TryLater | None:
    """End a registration that the owner of the address did not ask for, with all its links; None when done."""
    found = find_confirmation(realm, token)
    if isinstance(found, Refused | TryLater):
        return found
    if isinstance(found, MailLink):
        return refuse_link("other_purpose")
    with realm.database.write() as tx:
        registrations.end(tx, [found.registration_id], realm.clock.now())
    return None


def gives_way(holder: User) -> bool:
    """Whether the account of `holder` is deleted when another user proves its address.

    True if the address was never proved, because anybody could have registered it. But an account to which an operator
    gave a role, or which an operator locked or disabled, stays: the operator has to decide about it.
    """
    return not holder.email_verified and not holder.roles and holder.standing is Standing.ACTIVE


def _confirm(realm: Realm, token: str, ip: str) -> Receipt | Refused | TryLater | None:
    match find_confirmation(realm, token):
        case PendingRegistration() as registration:
            return _confirm_registration(realm, registration, ip)
        case MailLink() as link:
            return _confirm_change(realm, link, ip)
        case refused:
            return refused


def _confirm_registration(realm: Realm, registration: PendingRegistration, ip: str) -> Refused | None:
    now = realm.clock.now()
    user_id = new_id(realm.entropy)
    user = NewUser(
        user_id, registration.address, registration.name, registration.password_hash, roles=(), email_verified=True
    )
    with realm.database.write() as tx:
        registrations.lock_all(tx, registration.address)
        if registrations.find_live(tx, registration.link_id, now) is None:
            return refuse_link("overtaken")
        registrations.forget_all(tx, registration.address)
        if not users.add(tx, user, now):
            return refuse_taken()
        record_created(tx, user, by=Actor(user_id, ip), now=now, entropy=realm.entropy)
    return None


def _confirm_change(realm: Realm, link: MailLink, ip: str) -> Receipt | Refused:
    def make_room(tx: Transaction) -> None:
        holder = users.find_by_email(tx, link.address)
        if holder is not None and holder.user_id != link.user_id and gives_way(holder):
            by = Actor(link.user_id, ip)
            realm.revocation.apply(tx, UserDeleted(holder.user_id), by=by, now=realm.clock.now())

    event = EmailChanged(link.user_id, link.address)
    return use_link(realm, link, event, ip, current=link.sid, prepare=make_room)
