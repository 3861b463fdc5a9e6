"""An ordinary sign-in replaced the hash of an unchanged password by a newer one."""

from dataclasses import dataclass, field
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.credentials.user_change import UserChange
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class PasswordRehashed(UserEvent):
    """The hash of an unchanged password was replaced by a stronger one; `password_hash` is the new one.

    `replaces` is the hash that was verified. If it is no longer the stored one, the password has been changed
    meanwhile, and nothing is written.

    Settings may not change this row: a re-hash that ended or bumped anything would sign people out for signing in.
    """

    name: ClassVar[str] = "password_rehashed"
    audit_name: ClassVar[AuditName] = AuditName.PASSWORD_REHASH
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.NONE)
    adjustable: ClassVar[frozenset[str]] = frozenset()

    replaces: str = field(repr=False)
    password_hash: str = field(repr=False)

    @override
    def change(self) -> UserChange:
        return UserChange(password_hash=self.password_hash, replaces=self.replaces)
