"""A registration that waits for its link."""

from dataclasses import dataclass, field
from datetime import datetime

from authserver.records.link import LinkPurpose


@dataclass(frozen=True, slots=True)
class PendingRegistration:
    """One link to `address` (canonical), and the registration that counts if this link is used.

    `registration_id` is the same in all links of one registration. `mac_kid` is set when the link is first written into
    a mail, as it is in `link.MailLink`.
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
        """What the link is for."""
        return LinkPurpose.CONFIRM_EMAIL
