"""A disabled user may sign in again."""

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.credentials.user_change import UserChange
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class UserEnabled(UserEvent):
    """The user `user_id` may open new sessions; the old ones stay dead."""

    name: ClassVar[str] = "user_enabled"
    audit_name: ClassVar[AuditName] = AuditName.USER_ENABLED
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.NONE)
    adjustable: ClassVar[frozenset[str]] = frozenset({"notify"})
    changes_credentials: ClassVar[bool] = True

    @override
    def change(self) -> UserChange:
        return UserChange(disabled=False)
