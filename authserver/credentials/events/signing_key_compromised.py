"""The private part of a signing key may be known to others."""

from dataclasses import dataclass
from typing import ClassVar

from authserver.credentials.events.base import KeyEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class SigningKeyCompromised(KeyEvent):
    """Nothing that the key `kid` signed can be trusted any more.

    Sessions continue: the successor of the key signs at their next refresh.
    """

    name: ClassVar[str] = "signing_key_compromised"
    audit_name: ClassVar[AuditName] = AuditName.SIGNING_KEY_COMPROMISED
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.NONE)
    adjustable: ClassVar[frozenset[str]] = frozenset()
