"""The order of mails: urgent security mails before those that any stranger can cause.

Registrations are anonymous, so their mails must not delay a password reset or a notice of a changed password.
"""

from typing import Final

from authserver.records.delivery import Rank

_OF_REGISTRATION: Final = frozenset({"confirm_email", "confirm_account", "register_taken"})


def rank(template: str) -> Rank:
    """The rank of a mail. `REQUESTS` (`authserver/mail/requests.py`) has the ranks of requests for mails."""
    return Rank.ROUTINE if template in _OF_REGISTRATION else Rank.URGENT
