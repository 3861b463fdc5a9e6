"""What was done to a user, a client, a key or a token: the facts that each consequence gets."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from authserver.credentials.events import CredentialEvent
from authserver.credentials.notice import Notice
from authserver.credentials.policy_row import PolicyRow
from authserver.protocol.claims import AccessTokenClaims
from authserver.protocol.entropy import Entropy
from authserver.records.audit import Actor
from authserver.records.family import Family
from authserver.records.user import User
from authserver.revocation.ending import Loss
from authserver.revocation.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who did it, and when; and randomness for the ids of what is written about it."""

    by: Actor
    now: datetime
    entropy: Entropy


@dataclass(frozen=True, slots=True)
class EventApplied:
    """A credential event was carried out as `ruling` says.

    Attributes:
        user: as they were before; None where the event is not about a user, or about one who does not exist.
        current: the `sid` of the session that asked.
        loss: what it ended.
        notices: the mails that it causes.
        receipt: what the caller gets.
    """

    event: CredentialEvent
    ruling: PolicyRow
    user: User | None
    current: str | None
    loss: Loss
    notices: tuple[Notice, ...]
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class SessionReplaced:
    """The session `sid` gave way to another one; `ended` is empty if it was over before."""

    user_id: str
    sid: str
    ended: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class FamilyEnded:
    """One family ended; its session and the session's other families live on."""

    family: Family
    reason: str


@dataclass(frozen=True, slots=True)
class RetriedLate:
    """A family was answered although its predecessor came late; nothing ended."""

    family: Family


@dataclass(frozen=True, slots=True)
class TokenRevoked:
    """One access token ended; its session lives on."""

    claims: AccessTokenClaims


@dataclass(frozen=True, slots=True)
class ClientEnabled:
    """A client that was disabled may begin new families. `dead_fams` are those that stay dead."""

    client_id: str
    dead_fams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClientDeleted:
    """A disabled client is gone, with all that it held."""

    client_id: str


Done: TypeAlias = (
    EventApplied | SessionReplaced | FamilyEnded | RetriedLate | TokenRevoked | ClientEnabled | ClientDeleted
)
