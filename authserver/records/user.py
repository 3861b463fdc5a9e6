"""A stored user, and their standing."""

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
        """The standing of a user who was locked or disabled at these times; disabled outweighs locked."""
        if disabled_at is not None:
            return cls.DISABLED
        return cls.ACTIVE if locked_at is None else cls.LOCKED


@dataclass(frozen=True, slots=True)
class User:
    """A decoded user. `locked` stays true for a disabled user, although `standing` then says only disabled."""

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
    given_name: str = ""
    family_name: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's own profile data. None leaves a part unchanged; an empty text removes it."""

    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    phone_number: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """The data that a sign-in verifies, read in one statement. `password_hash` is None if none was ever set."""

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
