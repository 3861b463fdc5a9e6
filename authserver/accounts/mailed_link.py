"""What stands behind a link from a mail. Looking at it changes nothing; only the act that it is for uses it up."""

from authserver.accounts.outcomes import EMAIL_TAKEN, INVALID_LINK, Refused, TryLater
from authserver.credentials.events import CredentialEvent
from authserver.credentials.links import LinkPurpose
from authserver.protocol.link_token import LinkToken
from authserver.protocol.refresh_token import Malformed, UnknownMacKey
from authserver.realm import EndedMacKey, Realm, prove_link_token
from authserver.revocation import Receipt
from authserver.storage import links, users
from authserver.storage.audit import Actor
from authserver.storage.links import MailLink
from authserver.storage.users import AddressTakenError


def find_link(realm: Realm, token: str, *purposes: LinkPurpose) -> MailLink | Refused | TryLater:
    """The live link of one of `purposes` that `token` proves."""
    match prove_link_token(realm, token):
        case Malformed() | EndedMacKey():
            return refuse_link()
        case UnknownMacKey():
            return TryLater()
        case LinkToken() as proven:
            with realm.database.read() as tx:
                link = links.find_live(tx, proven.link_id, realm.clock.now())
            return link if link is not None and link.purpose in purposes else refuse_link()


def carry_out(
    realm: Realm, link: MailLink, event: CredentialEvent, ip: str, *, current: str | None = None
) -> Receipt | Refused:
    """Use `link` up for `event`, in one transaction: of any number who try at once, one gets the receipt."""
    now = realm.clock.now()
    try:
        with realm.database.write() as tx:
            users.lock(tx, link.user_id)
            if not links.use(tx, link.link_id, now):
                return refuse_link()
            return realm.revocation.apply(tx, event, by=Actor(link.user_id, ip), now=now, current=current)
    except AddressTakenError:
        return refuse_taken()


def refuse_taken() -> Refused:
    """The address belongs to another user."""
    return Refused(EMAIL_TAKEN, "This e-mail address is registered already.")


def refuse_link() -> Refused:
    """One answer for every link that does not work, whatever the reason."""
    return Refused(INVALID_LINK, "This link does not work any more. Please ask for another one.")
