"""What a credential event writes on the user's row. `revocation` writes it, in the event's transaction."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """Only what is set is written.

    Attributes:
        password_hash: the new hash.
        replaces: write `password_hash` only while the stored hash is this one (the same password, hashed anew).
        forget_password: nobody signs in with a password before a reset has set one; and what the user allowed apps is
            forgotten, because it may have been somebody else who did.
        email: the address, which counts as confirmed.
        roles: all roles from now on.
        locked: locked or not.
        disabled: disabled or not.
        deleted: the user is gone, with everything that names him but the audit record.
        ends_links_since: links that were mailed to the user since then are worth nothing.
    """

    password_hash: str | None = field(default=None, repr=False)
    replaces: str | None = field(default=None, repr=False)
    forget_password: bool = False
    email: str | None = None
    roles: tuple[str, ...] | None = None
    locked: bool | None = None
    disabled: bool | None = None
    deleted: bool = False
    ends_links_since: datetime | None = None


NO_CHANGE = UserChange()
