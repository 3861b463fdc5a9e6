"""The owner of an address reported a change that they did not make."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import UserEvent
from authserver.credentials.notice import Notice
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.credentials.user_change import UserChange
from authserver.protocol.audit_name import AuditName
from authserver.records.link import LinkPurpose


@dataclass(frozen=True, slots=True)
class CompromiseReported(UserEvent):
    """Somebody else acts as `user_id`. `email`, to which the link was sent, becomes the address again.

    No password works before a reset, whose link is mailed to `email` only. Every link mailed after the reported one
    (`link_issued_at`) is dead, so the links that a thief received are worthless. The mails about this event carry no
    link to report it, or the two sides would take turns.
    """

    name: ClassVar[str] = "compromise_reported"
    audit_name: ClassVar[AuditName] = AuditName.COMPROMISE_REPORT
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.ALL, bump=True, notify=True)
    adjustable: ClassVar[frozenset[str]] = frozenset()
    changes_credentials: ClassVar[bool] = True

    email: str
    link_issued_at: datetime

    @override
    def change(self) -> UserChange:
        return UserChange(
            forget_password=True,
            forget_consents=True,
            email=self.email,
            is_from_mailbox=True,
            ends_links_since=self.link_issued_at,
        )

    @override
    def notices(self, address: str) -> tuple[Notice, ...]:
        return (Notice(self.name, self.email, LinkPurpose.RESET_PASSWORD),)
