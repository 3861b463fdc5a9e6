"""A session as kept: one sign-in of one user on one device, its browser, and its end."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """The family or session is over. `by` names the credential event or reason; `soft_logout` is what clients hear."""

    at: datetime
    by: str
    soft_logout: bool


def first_end(idle_expires_at: datetime, expires_at: datetime) -> datetime:
    """When something is over by itself: unused for too long, or too old, whichever is first (RFC 9700 §4.14.2).

    `idle_expires_at` is everywhere the end for want of use alone, however soon the other one is.
    """
    return min(idle_expires_at, expires_at)


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in of one user on one device. `client_id` is the client that it was opened for, if it was for one."""

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
    """A live session as its user sees it: the clients in it, and when it was last used by one of them or at a page."""

    session: Session
    clients: tuple[str, ...]
    last_used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BrowserMark:
    """By what a browser shows that a session is its own, since when, and until when if it is not seen again."""

    digest: bytes
    used_at: datetime
    idle_expires_at: datetime
