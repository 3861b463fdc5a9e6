"""The user ended all sessions but the current one."""

from dataclasses import dataclass
from typing import ClassVar

from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class SignedOutElsewhere(UserEvent):
    """The user ended the other sessions; the current one continues.

    Nothing is bumped, because that would refuse the access token of this request; the ended sessions' access tokens die
    through their `sid`. Nothing is renewed, because the answer carries no tokens (contract §3).
    """

    name: ClassVar[str] = "signed_out_elsewhere"
    audit_name: ClassVar[AuditName] = AuditName.SESSION_REVOKED
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.OTHERS)
