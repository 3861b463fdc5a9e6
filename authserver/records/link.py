"""Links in mails: the purpose of each, its lifetime, and the page that it opens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


class LinkPurpose(Enum):
    """The purpose of a link. The values are stored in the database, so never change them."""

    RESET_PASSWORD = "reset_password"  # noqa: S105 - a name
    CONFIRM_EMAIL = "confirm_email"
    CHANGE_EMAIL = "change_email"
    REVERT_EMAIL = "revert_email"
    NOT_ME = "not_me"

    @property
    def lifetime(self) -> timedelta:
        """How long the link works after its mail was queued."""
        return _LIFETIMES[self]

    @property
    def path(self) -> str:
        """The page that the link opens (contract §9)."""
        return _PATHS[self]

    @property
    def most_live(self) -> int | None:
        """The largest number of live links of one user, or None. No request ends a link that was mailed before."""
        return 3 if self is LinkPurpose.RESET_PASSWORD else None

    @property
    def is_pending(self) -> bool:
        """Whether the link would change credentials; then another credential event ends it (design §5)."""
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
    """A link, and the canonical `address` that it was mailed to.

    `sid` names the session that asked for it, or is None. `mac_kid` is set when the link is first written into a mail,
    so that every copy of the mail holds the same link.
    """

    link_id: bytes
    purpose: LinkPurpose
    user_id: str
    address: str
    sid: str | None
    mac_kid: str | None
    issued_at: datetime
    expires_at: datetime
