"""A user as kept, and their standing."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class Standing(Enum):
    """Whether a user may be served."""

    ACTIVE = "active"
    LOCKED = "locked"
    DISABLED = "disabled"

    @classmethod
    def of(cls, locked_at: datetime | None, disabled_at: datetime | None) -> "Standing":
        """The standing of who was locked and disabled then; disabled outweighs locked."""
        if disabled_at is not None:
            return cls.DISABLED
        return cls.ACTIVE if locked_at is None else cls.LOCKED


@dataclass(frozen=True, slots=True)
class User:
    """A user, decoded. `locked` is so also of one who is disabled, which `standing` puts first."""

    user_id: str
    email: str
    email_verified: bool
    name: str
    roles: tuple[str, ...]
    standing: Standing
    token_version: int
    credential_version: int
    created_at: datetime
    password_changed_at: datetime | None
    phone_number: str = ""
    address: str = ""
    profile_changed_at: datetime | None = None
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """What a user says of himself. None leaves a part as it is, an empty text takes it away."""

    name: str | None = None
    phone_number: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a sign-in verifies, read in one statement; `password_hash` is None where none was ever set."""

    user: User
    password_hash: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user before the first write. The e-mail address is canonical."""

    user_id: str
    email: str
    name: str
    password_hash: str | None = field(repr=False)
    roles: tuple[str, ...]
    email_verified: bool
