"""A device authorization as stored (RFC 8628): what a device asked for, who claimed it, and what they said."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from authserver.protocol.device_code import EARLY_BY


@dataclass(frozen=True, slots=True)
class Undecided:
    """Nobody has allowed or denied it yet."""


@dataclass(frozen=True, slots=True)
class Approved:
    """The person who claimed it allowed it, with this proof of who they are."""

    auth_time: datetime
    amr: tuple[str, ...]
    acr: str


@dataclass(frozen=True, slots=True)
class Denied:
    """The person who claimed it did not allow it."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The device has its tokens."""


Decided: TypeAlias = Undecided | Approved | Denied | Exchanged


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """One request of a device.

    Attributes:
        code_digest: of the device code.
        ip, user_agent: of the device when it asked.
        interval: the shortest time between two polls.
        polled_at: the last poll; None before the first one.
        claimed_by: the user who typed the user code; from then on nobody else can.
        request_id: the request of that user's browser for which it was typed last.
    """

    code_digest: bytes
    client_id: str
    client_family_version: int
    scope: str
    audience: tuple[str, ...]
    ip: str
    user_agent: str
    created_at: datetime
    expires_at: datetime
    interval: timedelta
    polled_at: datetime | None = None
    claimed_by: str | None = None
    request_id: str | None = None
    decided: Decided = Undecided()

    def is_early(self, now: datetime) -> bool:
        """Whether a poll at `now` comes sooner than the interval allows (RFC 8628 §3.5)."""
        return self.polled_at is not None and now - self.polled_at < self.interval - EARLY_BY
