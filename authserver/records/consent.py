"""What a user allowed a client, and the clients that may act for a user."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """What a user allowed a client, and when he did last."""

    user_id: str
    client_id: str
    scope: frozenset[str]
    audience: frozenset[str]
    granted_at: datetime

    def covers(self, scope: frozenset[str], audience: frozenset[str]) -> bool:
        """Whether nothing is asked for that was not allowed."""
        return scope <= self.scope and audience <= self.audience


@dataclass(frozen=True, slots=True)
class ConnectedApp:
    """A client that holds tokens of a user, or that he allowed something.

    Attributes:
        scope: all that it may do by one or the other, sorted.
        granted_at: since when: what he said last, or where he was not asked the oldest of its families.
        last_used_at: None while it holds nothing.
    """

    client_id: str
    name: str
    scope: tuple[str, ...]
    granted_at: datetime
    last_used_at: datetime | None
