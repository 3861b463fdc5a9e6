"""A refresh token of a past generation came back: two parties hold the family (RFC 9700 §4.14.2)."""

from dataclasses import dataclass
from typing import ClassVar

from authserver.credentials.events.base import CredentialEvent
from authserver.credentials.policy_row import PolicyRow, Reach


@dataclass(frozen=True, slots=True)
class RefreshTokenReused(CredentialEvent):
    """A past generation of the family `fam` was presented in the session `sid`.

    The whole session ends, with the families of all its clients; its access tokens die through their `sid`.
    """

    name: ClassVar[str] = "refresh_token_reused"
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.THIS_SESSION, notify=True)
    other_reaches: ClassVar[frozenset[Reach]] = frozenset({Reach.ALL})
    adjustable: ClassVar[frozenset[str]] = frozenset({"mode", "bump", "notify"})

    user_id: str
    sid: str
    fam: str
