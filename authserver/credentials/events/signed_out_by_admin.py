"""An administrator or operator ended all sessions of a user."""

from dataclasses import dataclass
from typing import ClassVar

from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class SignedOutByAdmin(UserEvent):
    """All sessions of `user_id` end; they may sign in again."""

    name: ClassVar[str] = "signed_out_by_admin"
    audit_name: ClassVar[AuditName] = AuditName.SESSION_REVOKED
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.ALL, bump=True)
