"""An OAuth client was disabled: its tokens end, for all users."""

from dataclasses import dataclass
from typing import ClassVar

from authserver.credentials.events.base import ClientEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class ClientDisabled(ClientEvent):
    """The client `client_id` may no longer act; enabling it again revives none of its families."""

    name: ClassVar[str] = "client_disabled"
    audit_name: ClassVar[AuditName] = AuditName.CLIENT_DISABLED
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.THIS_CLIENT)
    adjustable: ClassVar[frozenset[str]] = frozenset()
