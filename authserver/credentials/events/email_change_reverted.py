"""The owner of the earlier address undid a change of address."""

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
class EmailChangeReverted(UserEvent):
    """`email` is the address of `user_id` again. The change required the password, so the password counts as stolen.

    It has the consequences of `CompromiseReported`.
    """

    name: ClassVar[str] = "email_change_reverted"
    audit_name: ClassVar[AuditName] = AuditName.USER_UPDATED
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
