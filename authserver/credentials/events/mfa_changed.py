"""A second factor was added, replaced or removed."""

from dataclasses import dataclass
from typing import ClassVar

from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class MfaChanged(UserEvent):
    """The second factors of `user_id` have changed."""

    name: ClassVar[str] = "mfa_changed"
    audit_name: ClassVar[AuditName] = AuditName.FACTOR_CHANGE
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.OTHERS, bump=True, notify=True)
    other_reaches: ClassVar[frozenset[Reach]] = frozenset({Reach.ALL})
    changes_credentials: ClassVar[bool] = True
