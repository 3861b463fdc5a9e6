"""A refresh token family: one decoded row, as the decisions need it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from authserver.records.session import Ended, first_end
from authserver.records.user import Standing

FIRST_GENERATION: Final = 1


@dataclass(frozen=True, slots=True)
class LateRetryMark:
    """The last late retry: the generation that was shown again, and when."""

    generation: int
    at: datetime


@dataclass(frozen=True, slots=True)
class GrantedAccess:
    """What was authorized, and how the user signed in. Set when the family is created; no refresh changes it."""

    user_id: str
    sid: str
    fam: str
    client_id: str
    device_id: str
    scope: str
    audience: tuple[str, ...]
    auth_time: datetime
    amr: tuple[str, ...]
    acr: str


@dataclass(frozen=True, slots=True)
class Bond:
    """The key to which a family is bound (RFC 9449 §5).

    `jkt` is its thumbprint. `generation` is the first that was handed out under the key: those before it were handed
    out to anybody.
    """

    jkt: str
    generation: int


@dataclass(frozen=True, slots=True)
class Family:
    """A family's row together with the standing of its user and client, read in one statement.

    `generation` may be exchanged next, since `rotated_at`; its token is tagged with the key `mac_kid`. Until
    `rests_until`, a refresh returns this generation again. None: it can be exchanged at once, and its predecessor is
    never a retry.
    """

    family_id: bytes
    granted: GrantedAccess
    generation: int
    mac_kid: str
    rotated_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    late_retry: LateRetryMark | None
    rests_until: datetime | None
    ended: Ended | None
    client_enabled: bool
    standing: Standing
    token_version: int
    roles: tuple[str, ...]
    bond: Bond | None = None

    @property
    def ends_at(self) -> datetime:
        """When it is over by itself."""
        return first_end(self.idle_expires_at, self.expires_at)

    @property
    def jkt(self) -> str | None:
        """The thumbprint of the key that it is bound to, or None."""
        return None if self.bond is None else self.bond.jkt

    def was_unbound(self, generation: int) -> bool:
        """Whether `generation` was handed out before the family was bound to a key."""
        return self.bond is None or generation < self.bond.generation

    def outlives(self, access_token_lifetime: timedelta) -> bool:
        """Whether its refresh tokens were handed out. If not (no offline access), it lasts one access token."""
        return self.generation > FIRST_GENERATION or self.idle_expires_at - self.rotated_at > access_token_lifetime


@dataclass(frozen=True, slots=True)
class NewFamily:
    """A new family, before it is stored. Its first token is generation 1; `jkt` is the key that it is bound to."""

    family_id: bytes
    granted: GrantedAccess
    client_family_version: int
    mac_kid: str
    idle_expires_at: datetime
    expires_at: datetime
    jkt: str | None = None

    @property
    def ends_at(self) -> datetime:
        """When it is over by itself."""
        return first_end(self.idle_expires_at, self.expires_at)
