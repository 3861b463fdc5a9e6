"""A registration that waits until its link is used."""

from dataclasses import dataclass, field
from datetime import datetime

from authserver.records.link import LinkPurpose


@dataclass(frozen=True, slots=True)
class PendingRegistration:
    """One link, mailed to the canonical `address`, and the registration that takes effect if this link is used.

    All links of one registration share `registration_id`. `mac_kid` is set when the link is first written into a mail,
    so that every copy of the mail holds the same link.
    """

    link_id: bytes
    registration_id: str
    address: str
    name: str
    password_hash: str = field(repr=False)
    asked_at: datetime
    kept_until: datetime
    mac_kid: str | None
    issued_at: datetime
    expires_at: datetime

    @property
    def purpose(self) -> LinkPurpose:
        """The purpose of the link."""
        return LinkPurpose.CONFIRM_EMAIL
