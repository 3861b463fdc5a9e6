"""A minimal model of sessions and their refresh tokens, by the design (§4, §5).

Tests compare the product with it. It shares no code with the product, keeps all in memory, and knows no secrets.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

RETRY_WINDOW, LATE_WINDOW = timedelta(seconds=60), timedelta(days=1)
REST = RETRY_WINDOW + timedelta(seconds=10)
IDLE, ABSOLUTE = timedelta(days=7), timedelta(days=90)
ACCESS_LIFETIME = timedelta(seconds=300)
RECENT = timedelta(minutes=15)


class Told(Enum):
    """The answer to a refresh."""

    NEXT = auto()
    SAME = auto()
    LATER = auto()
    HARD = auto()
    SOFT = auto()


@dataclass(eq=False)
class SessionModel:
    """A session of one client: one family. `texts` are its refresh tokens, by generation.

    A family may lapse alone; later its session may end with all others, and hard. `exchanged_at` has the time of
    exchange of each generation except the current one, by the clock reading of the request that did it.
    """

    sid: str
    device_id: str
    opened_at: datetime
    texts: list[str]
    rotated_at: datetime = field(init=False)
    exchanged_at: list[datetime] = field(default_factory=list)
    retry_end: datetime | None = None
    retried_late: int | None = None
    ended: Told | None = None
    family_ended: Told | None = None

    def __post_init__(self) -> None:
        self.rotated_at = self.opened_at

    def end(self, *, soft: bool = False) -> None:
        told = Told.SOFT if soft else Told.HARD
        self.ended, self.family_ended = self.ended or told, self.family_ended or told

    def may_go_on(self, now: datetime) -> bool:
        return not self.family_ended and not self.is_expired(now)

    def is_expired(self, now: datetime) -> bool:
        return now >= self.rotated_at + IDLE or now >= self.opened_at + ABSOLUTE

    def present(self, generation: int, now: datetime, *, locked: bool) -> Told:  # noqa: PLR0911 - one line per rule
        """Present this generation (from 0) in a request whose clock reading is `now`; return the answer.

        Updates everything except `texts`.
        """
        if self.family_ended:
            return self.family_ended
        if self.is_expired(now):
            return Told.SOFT
        current = len(self.texts) - 1
        if generation < current - 1:
            if now < self.rotated_at:
                return Told.LATER
            self.end()
            return Told.HARD
        if locked:
            return Told.SOFT
        if generation == current:
            return Told.SAME if self.rests(now) else self._rotate(now)
        assert self.retry_end is not None
        return Told.SAME if now < self.retry_end else self._retry_late(generation, now)

    def rests(self, now: datetime) -> bool:
        return self.retry_end is not None and now < self.retry_end + (REST - RETRY_WINDOW)

    def is_safe(self, generation: int, now: datetime) -> bool:
        """Whether the retry promise covers this generation at `now`: it is current, or within the retry window."""
        if self.is_expired(now):
            return False
        return generation == len(self.texts) - 1 or now < self.exchanged_at[generation] + RETRY_WINDOW

    def _rotate(self, now: datetime) -> Told:
        self.exchanged_at.append(now)
        self.rotated_at, self.retry_end = now, now + RETRY_WINDOW
        return Told.NEXT

    def _retry_late(self, generation: int, now: datetime) -> Told:
        if self.retried_late == generation or now >= self.rotated_at + LATE_WINDOW:
            self.family_ended = Told.SOFT
            return Told.SOFT
        if self.retried_late == generation - 1:
            self.end()
            return Told.HARD
        self.retried_late, self.retry_end = generation, now + RETRY_WINDOW
        return Told.SAME


@dataclass(frozen=True)
class AccessModel:
    """An issued access token."""

    text: str
    session: SessionModel
    version: int
    roles: tuple[str, ...]
    issued_at: datetime


@dataclass
class UserModel:
    """A user with all of their sessions, including ended ones."""

    password: str | None
    version: int = 1
    locked: bool = False
    disabled: bool = False
    roles: tuple[str, ...] = ()
    sessions: list[SessionModel] = field(default_factory=list)
    access_tokens: list[AccessModel] = field(default_factory=list)

    def may_sign_in(self, password: str) -> bool:
        return password == self.password and not self.locked and not self.disabled

    def open(self, session: SessionModel) -> None:
        """Add a session; the device's earlier one ends."""
        for other in self.sessions:
            if other.device_id == session.device_id:
                other.end()
        self.sessions.append(session)

    def end(self, *, but: SessionModel | None = None) -> None:
        for session in self.sessions:
            if session is not but:
                session.end()

    def refuses(self, token: AccessModel, now: datetime) -> Told | None:
        """None if the token is accepted; otherwise the `soft_logout` of its refusal."""
        over = token.session.ended or token.session.family_ended
        if over:
            return over
        if now >= token.issued_at + ACCESS_LIFETIME or token.session.is_expired(now):
            return Told.SOFT
        return Told.SOFT if self.locked or token.version < self.version else None
