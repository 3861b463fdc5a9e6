"""The user signed out of all sessions, including the current one."""

from dataclasses import dataclass
from typing import ClassVar

from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class SignedOutEverywhere(UserEvent):
    """The user ended all sessions at once."""

    name: ClassVar[str] = "signed_out_everywhere"
    audit_name: ClassVar[AuditName] = AuditName.SESSION_LOGOUT
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.ALL, bump=True)
