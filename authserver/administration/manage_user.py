"""What operators and administrators do to a user. Each act is one credential event."""

from collections.abc import Collection, Iterator

from authserver.administration.look_up import list_users
from authserver.administration.rehearsal import write_or_rehearse
from authserver.credentials.events import CredentialEvent, RolesChanged, SignedOutByAdmin
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, Invalid, Refused
from authserver.records.audit import Actor
from authserver.records.user import User
from authserver.records.user_rules import find_role_errors
from authserver.revocation import Receipt
from authserver.storage import users


def apply_event(
    realm: Realm,
    user_id: str,
    event: CredentialEvent,
    *,
    by: Actor,
    dry_run: bool = False,
    current: str | None = None,
    logout_devices: bool = True,
) -> Receipt | Refused:
    """Carry out `event`, which is about the user. A dry run does the same work and rolls it back.

    `current` and `logout_devices` as in `Revocation.apply`: for previews. Acts of administrators do not set them.
    """
    with write_or_rehearse(realm, dry_run=dry_run) as tx:
        if users.lock(tx, user_id) is None:
            return Refused(NOT_FOUND, "There is no such user.")
        now = realm.clock.now()
        return realm.revocation.apply(tx, event, by=by, now=now, current=current, logout_devices=logout_devices)


def change_roles(
    realm: Realm,
    user_id: str,
    *,
    exactly: Collection[str] | None = None,
    add: Collection[str] = (),
    remove: Collection[str] = (),
    by: Actor,
    dry_run: bool = False,
) -> tuple[User, Receipt | None] | Refused | Invalid:
    """Give the user `exactly` these roles, or `add` and `remove` some.

    Returns the user after the change, and the receipt; None if they already had these roles and nothing was changed.
    """
    wanted = (*(exactly or ()), *add)
    errors = tuple(find_role_errors(wanted))
    if errors:
        return Invalid(errors)
    with write_or_rehearse(realm, dry_run=dry_run) as tx:
        user = users.lock(tx, user_id)
        if user is None:
            return Refused(NOT_FOUND, "There is no such user.")
        kept = user.roles if exactly is None else exactly
        roles = tuple(role for role in dict.fromkeys((*kept, *add)) if role not in remove)
        if set(roles) == set(user.roles):
            return user, None
        receipt = realm.revocation.apply(tx, RolesChanged(user_id, roles), by=by, now=realm.clock.now())
        return users.load(tx, user_id), receipt


def revoke_everything(realm: Realm, *, by: Actor, dry_run: bool = False) -> Iterator[tuple[User, Receipt]]:
    """Sign all users out (`SignedOutByAdmin`), one after the other. Safe to repeat, also after an interruption."""
    for user in list_users(realm):
        receipt = apply_event(realm, user.user_id, SignedOutByAdmin(user.user_id), by=by, dry_run=dry_run)
        if isinstance(receipt, Receipt):
            yield user, receipt
