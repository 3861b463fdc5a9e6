"""An administrator or operator ended one session of a user."""

from dataclasses import dataclass
from typing import ClassVar

from authserver.credentials.events.base import SessionEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class SessionEndedByAdmin(SessionEvent):
    """An administrator or operator ended the session `sid` of a user."""

    name: ClassVar[str] = "session_ended_by_admin"
    audit_name: ClassVar[AuditName] = AuditName.SESSION_REVOKED
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.THIS_SESSION)
    other_reaches: ClassVar[frozenset[Reach]] = frozenset({Reach.ALL})
