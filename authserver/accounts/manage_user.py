"""What an operator or administrator does to a user. Each act is one credential event."""

from collections.abc import Iterator
from typing import NoReturn

from authserver.accounts.outcomes import NOT_FOUND, Refused
from authserver.accounts.oversee import list_users
from authserver.credentials.events import CredentialEvent, SignedOutByAdmin
from authserver.realm import Realm
from authserver.revocation import Receipt
from authserver.storage import users
from authserver.storage.audit import Actor


class _RehearsedError(Exception):
    """Raised to roll a rehearsal back, with the receipt that it came to."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__()
        self.receipt = receipt


def apply_event(
    realm: Realm, user_id: str, event: CredentialEvent, *, by: Actor, dry_run: bool = False
) -> Receipt | Refused:
    """Carry out `event`, which is about the user. A dry run does the same and rolls it back, so it cannot err."""
    try:
        with realm.database.write() as tx:
            if users.lock(tx, user_id) is None:
                return Refused(NOT_FOUND, "There is no such user.")
            receipt = realm.revocation.apply(tx, event, by=by, now=realm.clock.now())
            return _roll_back(receipt) if dry_run else receipt
    except _RehearsedError as rehearsal:
        return rehearsal.receipt


def _roll_back(receipt: Receipt) -> NoReturn:
    raise _RehearsedError(receipt)


def revoke_everything(realm: Realm, *, by: Actor, dry_run: bool = False) -> Iterator[tuple[str, Receipt]]:
    """End everything of everybody, one user after the other: (user id, receipt) of each. Safe to run again."""
    for user in list_users(realm):
        receipt = apply_event(realm, user.user_id, SignedOutByAdmin(user.user_id), by=by, dry_run=dry_run)
        if isinstance(receipt, Receipt):
            yield user.user_id, receipt
