"""The order of mails: urgent security mails before those that any stranger can cause.

Registrations are anonymous, so their mails must not delay a password reset or a notice of a changed password.
"""

from typing import Final

URGENT: Final = 0
ROUTINE: Final = 1
_OF_REGISTRATION: Final = frozenset({"confirm_email", "confirm_account", "register_taken"})


def rank(template: str) -> int:
    """The rank of a mail, `URGENT` or `ROUTINE`; the lower goes first. `WISHES` has the ranks of wishes."""
    return ROUTINE if template in _OF_REGISTRATION else URGENT
