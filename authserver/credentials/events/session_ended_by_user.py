"""The user ended one session in the list of their sessions."""

from dataclasses import dataclass
from typing import ClassVar

from authserver.credentials.events.base import SessionEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class SessionEndedByUser(SessionEvent):
    """The user ended the session `sid`, on any device."""

    name: ClassVar[str] = "session_ended_by_user"
    audit_name: ClassVar[AuditName] = AuditName.SESSION_REVOKED
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.THIS_SESSION)
