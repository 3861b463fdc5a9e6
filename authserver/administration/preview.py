"""Previews a credential event: carries it out on a user with representative facts, and rolls it back."""

from dataclasses import dataclass

from authserver.administration.manage_user import apply_event
from authserver.authentication.sign_out import list_sessions
from authserver.credentials.events import CredentialEvent
from authserver.credentials.events.base import UserEvent
from authserver.credentials.representative import represent
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, Refused
from authserver.records.audit import Actor
from authserver.records.link import LinkPurpose
from authserver.records.user import User
from authserver.revocation import Receipt
from authserver.storage import links

NOT_ABOUT_USERS = "not_about_users"
_TAKING_BACK = (LinkPurpose.NOT_ME, LinkPurpose.REVERT_EMAIL)


@dataclass(frozen=True, slots=True)
class Preview:
    """The receipt that the event would get. `sid` is the session that asks or that the event names, if there is one."""

    receipt: Receipt
    sid: str | None


def preview(
    realm: Realm, event: type[CredentialEvent], user: User, *, sid: str | None, logout_devices: bool, by: Actor
) -> Preview | Refused:
    """Preview an event of this type about `user`.

    `sid` is the session that asks or that the event names; None: the user's last used session. An event that a mailed
    link causes is previewed with the oldest link, because that ends the most.
    """
    if not issubclass(event, UserEvent):
        return Refused(NOT_ABOUT_USERS, f"{event.name} is not about a single user.")
    live = [summary.session.sid for summary in list_sessions(realm, user.user_id)]
    if sid is not None and sid not in live:
        return Refused(NOT_FOUND, f"{user.email} has no live session {sid!r}.")
    asking, now = sid or next(iter(live), None), realm.clock.now()
    with realm.database.read() as tx:
        link_issued_at = links.find_first_issued(tx, user.user_id, _TAKING_BACK, now) or now
    rehearsed = represent(
        event,
        user_id=user.user_id,
        email=user.email,
        roles=user.roles,
        sid=asking or "",
        link_issued_at=link_issued_at,
    )
    receipt = apply_event(
        realm, user.user_id, rehearsed, by=by, dry_run=True, current=asking, logout_devices=logout_devices
    )
    return receipt if isinstance(receipt, Refused) else Preview(receipt, asking)
