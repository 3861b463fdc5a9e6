"""A logout token that waits in the outbox: one client has to hear that a session of its user has ended."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from authserver.records.client_session import ClientSession
from authserver.records.delivery import Delivery

LOGOUT: Final = "logout"
"""The kind of a delivery that is a logout token."""

UNREADABLE: Final = (KeyError, OverflowError, TypeError, ValueError)
"""What `read_logout` raises if the payload is not one of `QueuedLogout.as_delivery`."""


@dataclass(frozen=True, slots=True)
class QueuedLogout:
    """A queued logout token.

    Attributes:
        jti: the same in each attempt, by which the client recognises a copy.
        refused_since: when the client refused it for the first time, if it has.
    """

    jti: str
    ended: ClientSession
    refused_since: datetime | None = None

    def as_delivery(self) -> Delivery:
        """Return the delivery to queue, whose target is the client; `read_logout` is the way back."""
        payload = {
            "sid": self.ended.sid,
            "user_id": self.ended.user_id,
            "expires_at": int(self.ended.expires_at.timestamp()),
            "refused_since": None if self.refused_since is None else int(self.refused_since.timestamp()),
        }
        return Delivery(self.jti, LOGOUT, self.ended.client_id, payload)


def read_logout(delivery: Delivery) -> QueuedLogout:
    """Return what was queued as `delivery`. An unexpected payload raises one of `UNREADABLE`."""
    payload = delivery.payload
    ended = ClientSession(
        client_id=delivery.target,
        sid=_read_text(payload["sid"]),
        user_id=_read_text(payload["user_id"]),
        expires_at=_read_instant(payload["expires_at"]),
    )
    refused_since = payload["refused_since"]
    return QueuedLogout(delivery.delivery_id, ended, None if refused_since is None else _read_instant(refused_since))


def _read_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _read_instant(value: object) -> datetime:
    if not isinstance(value, int):
        raise TypeError("not a number of seconds")
    return datetime.fromtimestamp(value, UTC)
