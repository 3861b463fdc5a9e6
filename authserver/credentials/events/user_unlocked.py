"""A locked user may act again."""

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import Mode, PolicyRow, Reach
from authserver.credentials.user_change import UserChange
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class UserUnlocked(UserEvent):
    """The lock of `user_id` is lifted."""

    name: ClassVar[str] = "user_unlocked"
    audit_name: ClassVar[AuditName] = AuditName.LOGIN_UNLOCK
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.NONE, mode=Mode.SOFT)
    adjustable: ClassVar[frozenset[str]] = frozenset({"notify"})
    changes_credentials: ClassVar[bool] = True

    @override
    def change(self) -> UserChange:
        return UserChange(locked=False)
