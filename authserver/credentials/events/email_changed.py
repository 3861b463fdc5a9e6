"""The user's address was changed, and confirmed by a link that was sent to the new one."""

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import UserEvent
from authserver.credentials.notice import Notice
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.credentials.user_change import UserChange
from authserver.protocol.audit_name import AuditName
from authserver.records.link import LinkPurpose


@dataclass(frozen=True, slots=True)
class EmailChanged(UserEvent):
    """`email` is the new address of `user_id`. For 7 days, a link mailed to the old address undoes the change."""

    name: ClassVar[str] = "email_changed"
    audit_name: ClassVar[AuditName] = AuditName.USER_UPDATED
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.OTHERS, bump=True, notify=True)
    other_reaches: ClassVar[frozenset[Reach]] = frozenset({Reach.ALL})
    adjustable: ClassVar[frozenset[str]] = frozenset({"mode"})
    changes_credentials: ClassVar[bool] = True

    email: str

    @override
    def change(self) -> UserChange:
        return UserChange(email=self.email)

    @override
    def notices(self, address: str) -> tuple[Notice, ...]:
        return (Notice("email_changed_old", address, LinkPurpose.REVERT_EMAIL), Notice("email_changed_new", self.email))
