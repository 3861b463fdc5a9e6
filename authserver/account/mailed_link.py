"""Looks up and uses mailed links. Looking a link up changes nothing; only its act uses it up."""

from collections.abc import Callable

from authserver.authentication.failed_proof import name_reason
from authserver.authentication.refused_act import NOBODY, RefusedAct, record_refused
from authserver.credentials.events import CredentialEvent
from authserver.protocol.audit_name import AuditName
from authserver.protocol.link_token import LinkToken
from authserver.protocol.refresh_token import Malformed, UnknownMacKey
from authserver.realm import Realm
from authserver.realm.outcomes import EMAIL_TAKEN, INVALID_LINK, Invalid, Refused, TryLater
from authserver.records.audit import Actor
from authserver.records.link import LinkPurpose, MailLink
from authserver.revocation import Receipt
from authserver.storage import Transaction, links, users
from authserver.storage.users import AddressTakenError
from authserver.tokens.proof import EndedMacKey, prove_link_token


def find_link(realm: Realm, token: str, *purposes: LinkPurpose) -> MailLink | Refused | TryLater:
    """Find the live link of `token`, if its purpose is one of `purposes`; otherwise refuse."""
    link_id = prove_link(realm, token)
    if not isinstance(link_id, bytes):
        return link_id
    with realm.database.read() as tx:
        link = links.find_live(tx, link_id, realm.clock.now())
        why = "other_purpose" if link is not None else links.find_end(tx, link_id)
    return link if link is not None and link.purpose in purposes else refuse_link(why)


def prove_link(realm: Realm, token: str) -> bytes | Refused | TryLater:
    """Check the MAC of `token`; return the id of its link. NOT checked: whether that link exists and works."""
    match prove_link_token(realm, token):
        case Malformed():
            return refuse_link("no_link")
        case EndedMacKey():
            return refuse_link("mac_key_ended")
        case UnknownMacKey():
            return TryLater()
        case LinkToken() as proven:
            return proven.link_id


def use_link(
    realm: Realm,
    link: MailLink,
    event: CredentialEvent,
    ip: str,
    *,
    current: str | None = None,
    prepare: Callable[[Transaction], None] = lambda _: None,
) -> Receipt | Refused:
    """Use `link` up and carry out `event`, in one transaction. Of several concurrent tries, only one succeeds.

    `prepare` runs in that transaction, before the event.
    """
    now = realm.clock.now()
    try:
        with realm.database.write() as tx:
            users.lock(tx, link.user_id)
            if not links.use(tx, link.link_id, now):
                return refuse_link("overtaken")
            prepare(tx)
            return realm.revocation.apply(tx, event, by=Actor(link.user_id, ip), now=now, current=current)
    except AddressTakenError:
        return refuse_taken()


def refuse_taken() -> Refused:
    """Refuse, because the address belongs to another user."""
    return Refused(EMAIL_TAKEN, "This e-mail address is already registered.", EMAIL_TAKEN)


def refuse_link(reason: str) -> Refused:
    """Refuse with the answer that all links get that do not work. Only log and audit record contain `reason`."""
    return Refused(INVALID_LINK, "This link no longer works. Please ask for a new one.", reason)


def record_failed_link(
    realm: Realm, token: str, failed: Refused | Invalid, ip: str, *, name: AuditName, act: str
) -> None:
    """Record that `act` was refused for the link `token`; about the link's user, if the link is known, used or not."""
    proven = prove_link_token(realm, token)
    link = None
    if isinstance(proven, LinkToken):
        with realm.database.read() as tx:
            link = links.find(tx, proven.link_id)
    user_id = None if link is None else link.user_id
    by = Actor(user_id or NOBODY, ip)
    record_refused(realm, RefusedAct(name, act, name_reason(failed), user_id), by)
