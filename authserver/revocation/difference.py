"""Decides whether a credential event changes anything besides what it ends.

An event that ends nothing and changes nothing is a no-op, so repeated acts fill no table (see `Revocation.apply`).
"""

from dataclasses import replace

from authserver.credentials.events import CredentialEvent
from authserver.credentials.events.base import KeyEvent, UserEvent
from authserver.credentials.user_change import NO_CHANGE
from authserver.records.user import Standing, User


def alters(event: CredentialEvent, user: User | None) -> bool:
    """Whether `event` changes anything. `user` is the event's user before it; None if there is no such user.

    True for every event about a key, and for an event about a user who does not exist: that is a failure to record.
    """
    return isinstance(event, KeyEvent | UserEvent) if user is None else _alters_user(event, user)


def _alters_user(event: CredentialEvent, user: User) -> bool:
    """Whether the event changes the user, or makes the user's earlier proofs of identity invalid."""
    change = event.change()
    if change == NO_CHANGE:
        return event.changes_credentials  # if so, sign-ins in progress must fail
    if replace(change, locked=None, disabled=None) != NO_CHANGE:
        return True
    is_disabled = user.standing is Standing.DISABLED
    return change.locked not in {None, user.locked} or change.disabled not in {None, is_disabled}
