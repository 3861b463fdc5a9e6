"""The facts about an end or change of a user, client, key or token. Every consequence gets them."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from authserver.credentials.events import CredentialEvent
from authserver.credentials.notice import Notice
from authserver.credentials.policy_row import PolicyRow
from authserver.protocol.claims import AccessTokenClaims
from authserver.protocol.entropy import Entropy
from authserver.records.audit import Actor
from authserver.records.client_session import ClientSession
from authserver.records.family import Family
from authserver.records.user import User
from authserver.revocation.ending import Loss
from authserver.revocation.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who did it and when, and randomness for the ids of the rows that consequences write."""

    by: Actor
    now: datetime
    entropy: Entropy


@dataclass(frozen=True, slots=True)
class EventApplied:
    """A credential event was carried out as `ruling` says.

    Attributes:
        user: the user before the event; None if the event is not about a user, or the user does not exist.
        current: the `sid` of the session that asked; None if no session did.
        loss: what the event ended.
        notices: the mails that the event causes.
        receipt: the result for the caller.
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
    """The session `sid` was ended because another one replaces it; `ended` is empty if it had ended before.

    `client_sessions` are those that ended with it.
    """

    user_id: str
    sid: str
    ended: tuple[str, ...]
    reason: str
    client_sessions: tuple[ClientSession, ...]


@dataclass(frozen=True, slots=True)
class FamilyEnded:
    """One family ended; its session and the session's other families live on.

    `client_sessions` is not empty if the client was signed out with it: it may not come back without being asked, and
    has no other family in the session.
    """

    family: Family
    reason: str
    client_sessions: tuple[ClientSession, ...]


@dataclass(frozen=True, slots=True)
class RetriedLate:
    """A late retry in `family` was answered; nothing ended."""

    family: Family


@dataclass(frozen=True, slots=True)
class TokenRevoked:
    """One access token ended; its session lives on."""

    claims: AccessTokenClaims


@dataclass(frozen=True, slots=True)
class ClientEnabled:
    """A disabled client may begin new families. `dead_fams` are earlier families that the feed has to name."""

    client_id: str
    dead_fams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClientDeleted:
    """A disabled client was deleted, with all of its families."""

    client_id: str


Done: TypeAlias = (
    EventApplied | SessionReplaced | FamilyEnded | RetriedLate | TokenRevoked | ClientEnabled | ClientDeleted
)
