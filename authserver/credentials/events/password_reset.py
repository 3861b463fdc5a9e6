"""The user set a new password with a mailed link."""

from dataclasses import dataclass, field
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.credentials.user_change import UserChange
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class PasswordReset(UserEvent):
    """`password_hash` is the hash of the new password of `user_id`. A reset signs nobody in.

    `email` is the address that the link was sent to; its use confirms the address.
    """

    name: ClassVar[str] = "password_reset"
    audit_name: ClassVar[AuditName] = AuditName.PASSWORD_CHANGE
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.ALL, bump=True, notify=True)
    changes_credentials: ClassVar[bool] = True

    email: str
    password_hash: str = field(repr=False)

    @override
    def change(self) -> UserChange:
        return UserChange(password_hash=self.password_hash, email=self.email, is_from_mailbox=True)
