"""Whether a credential event changes anything besides what it ends.

One that does not, and ended nothing, is a no-op: repeating an act fills no table (see `Revocation.apply`).
"""

from dataclasses import replace

from authserver.credentials.events import CredentialEvent
from authserver.credentials.events.base import KeyEvent, UserEvent
from authserver.credentials.user_change import NO_CHANGE
from authserver.records.user import Standing, User


def alters(event: CredentialEvent, user: User | None) -> bool:
    """Whether `event` changes anything. `user` is whom it is about, as they are; None if there is no such user.

    One about a key always does, and one about a user who is gone is a failure, which is recorded.
    """
    return isinstance(event, KeyEvent | UserEvent) if user is None else _alters_user(event, user)


def _alters_user(event: CredentialEvent, user: User) -> bool:
    """Whether the event changes the user, or what somebody is about to do with their credentials."""
    change = event.change()
    if change == NO_CHANGE:
        return event.changes_credentials  # condemns the sign-ins that are under way
    if replace(change, locked=None, disabled=None) != NO_CHANGE:
        return True
    is_disabled = user.standing is Standing.DISABLED
    return change.locked not in {None, user.locked} or change.disabled not in {None, is_disabled}
