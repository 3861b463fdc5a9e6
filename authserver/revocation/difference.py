"""Whether a credential event changes anything besides what it ends.

One that does not, and ended nothing, is a no-op: repeating an act fills no table (see `Revocation.apply`).
"""

from dataclasses import replace

from authserver.credentials.events import CredentialEvent
from authserver.credentials.events.base import KeyEvent, UserEvent
from authserver.credentials.user_change import NO_CHANGE
from authserver.records.user import Standing, User


def alters(event: CredentialEvent) -> bool:
    """Of an event without a user here: one about a key always does; one about a user who is gone is a failure."""
    return isinstance(event, KeyEvent | UserEvent)


def alters_user(event: CredentialEvent, user: User) -> bool:
    """Whether the event changes the user, or what somebody is about to do with their credentials."""
    change = event.change()
    if change == NO_CHANGE:
        return event.changes_credentials  # condemns the sign-ins that are under way
    if replace(change, locked=None, disabled=None) != NO_CHANGE:
        return True
    is_disabled = user.standing is Standing.DISABLED
    return change.locked not in {None, user.locked} or change.disabled not in {None, is_disabled}
