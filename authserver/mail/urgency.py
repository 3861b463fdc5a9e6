"""Which mails go first: those that somebody waits for in distress, before those that any stranger can cause.

Registrations are anonymous, so their mails must not delay a reset or the news that a password was changed.
"""

from typing import Final

URGENT: Final = 0
ROUTINE: Final = 1
_OF_REGISTRATION: Final = frozenset({"confirm_email", "confirm_account", "register_taken"})


def rank(template: str) -> int:
    """`URGENT` or `ROUTINE` for a mail; the lower goes first. Wishes say theirs themselves."""
    return ROUTINE if template in _OF_REGISTRATION else URGENT
