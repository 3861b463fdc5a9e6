"""Links in mails: what each is for, how long it lives, and the page that it opens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


class LinkPurpose(Enum):
    """The value stands in the database: never change it."""

    RESET_PASSWORD = "reset_password"  # noqa: S105 - a name
    CONFIRM_EMAIL = "confirm_email"
    CHANGE_EMAIL = "change_email"
    REVERT_EMAIL = "revert_email"
    NOT_ME = "not_me"

    @property
    def lifetime(self) -> timedelta:
        """How long after it was queued the link works."""
        return _LIFETIMES[self]

    @property
    def path(self) -> str:
        """The page that the link opens (contract §9)."""
        return _PATHS[self]

    @property
    def most_live(self) -> int | None:
        """How many of one user work at a time, where that is bounded: no request ends one that was mailed before."""
        return 3 if self is LinkPurpose.RESET_PASSWORD else None

    @property
    def is_pending(self) -> bool:
        """Whether it waits to change credentials, so that another event about them ends it (design §5)."""
        return self in {LinkPurpose.RESET_PASSWORD, LinkPurpose.CHANGE_EMAIL}


_LIFETIMES = {
    LinkPurpose.RESET_PASSWORD: timedelta(minutes=15),
    LinkPurpose.CONFIRM_EMAIL: timedelta(days=1),
    LinkPurpose.CHANGE_EMAIL: timedelta(hours=1),
    LinkPurpose.REVERT_EMAIL: timedelta(days=7),
    LinkPurpose.NOT_ME: timedelta(days=7),
}
LONGEST_LIFETIME = max(_LIFETIMES.values())

_PATHS = {
    LinkPurpose.RESET_PASSWORD: "/reset",
    LinkPurpose.CONFIRM_EMAIL: "/email/confirm",
    LinkPurpose.CHANGE_EMAIL: "/email/confirm",
    LinkPurpose.REVERT_EMAIL: "/email/revert",
    LinkPurpose.NOT_ME: "/not-me",
}


@dataclass(frozen=True, slots=True)
class MailLink:
    """A link to `address`, the canonical one that it was sent to.

    `sid` names the session that asked, where one did. `mac_kid` is set when the link is first written into a mail, so
    that every copy of the mail holds the same one.
    """

    link_id: bytes
    purpose: LinkPurpose
    user_id: str
    address: str
    sid: str | None
    mac_kid: str | None
    issued_at: datetime
    expires_at: datetime
