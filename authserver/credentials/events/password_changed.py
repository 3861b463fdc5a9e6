"""The user changed their password, giving the old one."""

from dataclasses import dataclass, field
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.credentials.user_change import UserChange
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class PasswordChanged(UserEvent):
    """`password_hash` is the hash of the new password of `user_id`.

    The session that asked continues with new tokens; a thief's copy of its old tokens dies with the other sessions.
    """

    name: ClassVar[str] = "password_changed"
    audit_name: ClassVar[AuditName] = AuditName.PASSWORD_CHANGE
    POLICY: ClassVar[PolicyRow] = PolicyRow(
        reach=Reach.OTHERS, bump=True, renew_current=True, client_may_choose=True, notify=True
    )
    adjustable: ClassVar[frozenset[str]] = frozenset({"mode", "notify", "spared", "client_may_choose"})
    changes_credentials: ClassVar[bool] = True

    password_hash: str = field(repr=False)

    @override
    def change(self) -> UserChange:
        return UserChange(password_hash=self.password_hash)
