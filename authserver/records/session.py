"""A stored session (one sign-in of one user on one device), its browser, and its end."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a family or session. `by` is the credential event or reason; clients receive `soft_logout`."""

    at: datetime
    by: str
    soft_logout: bool


def first_end(idle_expires_at: datetime, expires_at: datetime) -> datetime:
    """The earlier of two expiry times: unused for too long, or too old (RFC 9700 §4.14.2).

    `idle_expires_at` always means the end through lack of use alone, even where `expires_at` comes earlier.
    """
    return min(idle_expires_at, expires_at)


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in of one user on one device. `client_id` is the client that it was opened for, or None."""

    sid: str
    user_id: str
    device_id: str
    device_name: str
    client_id: str | None
    ip: str
    user_agent: str
    created_at: datetime
    expires_at: datetime
    auth_time: datetime
    amr: tuple[str, ...]
    acr: str


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A live session as its user sees it: its clients, and when one of them or a page last used it."""

    session: Session
    clients: tuple[str, ...]
    last_used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BrowserMark:
    """The mark by which a browser proves its session: since when, and until when if it is not seen again."""

    digest: bytes
    used_at: datetime
    idle_expires_at: datetime
