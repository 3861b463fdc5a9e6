"""The user signed out of the current session."""

from dataclasses import dataclass
from typing import ClassVar

from authserver.credentials.events.base import SessionEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class SignedOut(SessionEvent):
    """The user ended the session `sid` from within it."""

    name: ClassVar[str] = "signed_out"
    audit_name: ClassVar[AuditName] = AuditName.SESSION_LOGOUT
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.THIS_SESSION)
    other_reaches: ClassVar[frozenset[Reach]] = frozenset({Reach.ALL})
