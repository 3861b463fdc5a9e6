"""A user was locked temporarily."""

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import Mode, PolicyRow, Reach
from authserver.credentials.user_change import UserChange
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class UserLocked(UserEvent):
    """`user_id` may do nothing until they are unlocked. A lock is not a logout: the same tokens work afterwards."""

    name: ClassVar[str] = "user_locked"
    audit_name: ClassVar[AuditName] = AuditName.LOGIN_LOCK
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.NONE, mode=Mode.SOFT)
    adjustable: ClassVar[frozenset[str]] = frozenset({"notify"})
    changes_credentials: ClassVar[bool] = True

    @override
    def change(self) -> UserChange:
        return UserChange(locked=True)
