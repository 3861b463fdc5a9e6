"""A refresh token of a past generation came back: two parties hold tokens of the family (RFC 9700 §4.14.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import SessionEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class RefreshTokenReused(SessionEvent):
    """A past generation of the family `fam` was presented in the session `sid`.

    The whole session ends, with the families of all its clients; its access tokens die through their `sid`.
    """

    name: ClassVar[str] = "refresh_token_reused"
    audit_name: ClassVar[AuditName] = AuditName.TOKEN_REUSE
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.THIS_SESSION, notify=True)
    other_reaches: ClassVar[frozenset[Reach]] = frozenset({Reach.ALL})
    adjustable: ClassVar[frozenset[str]] = frozenset({"mode", "bump", "notify"})

    fam: str

    @override
    def facts(self) -> Mapping[str, str]:
        return {"fam": self.fam}
