"""A user was disabled."""

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.credentials.user_change import UserChange
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class UserDisabled(UserEvent):
    """All sessions and tokens of `user_id` are dead for good, even if they are enabled again."""

    name: ClassVar[str] = "user_disabled"
    audit_name: ClassVar[AuditName] = AuditName.USER_DISABLED
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.ALL, bump=True)
    adjustable: ClassVar[frozenset[str]] = frozenset({"notify"})
    changes_credentials: ClassVar[bool] = True

    @override
    def change(self) -> UserChange:
        return UserChange(disabled=True)
