"""An administrator or operator gave a user a new password."""

from dataclasses import dataclass, field
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.credentials.user_change import UserChange
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class PasswordSetByAdmin(UserEvent):
    """Somebody else chose a new password for `user_id`; `password_hash` is its hash.

    No session is kept: everybody who is signed in, the user or a thief, knew the old password.
    """

    name: ClassVar[str] = "password_set_by_admin"
    audit_name: ClassVar[AuditName] = AuditName.PASSWORD_CHANGE
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.ALL, bump=True, notify=True)
    changes_credentials: ClassVar[bool] = True

    password_hash: str = field(repr=False)

    @override
    def change(self) -> UserChange:
        return UserChange(password_hash=self.password_hash)
