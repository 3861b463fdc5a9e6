"""What a credential event writes on the user's row. `revocation` writes it, in the event's transaction."""

from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """Only what is set is written.

    Attributes:
        password_hash: the new hash.
        replaces: write `password_hash` only while the stored hash is this one (the same password, hashed anew).
        forget_password: nobody signs in with a password before a reset has set one.
        forget_consents: what the user allowed apps is forgotten, because it may have been somebody else who did.
        forget_profile: what the user said of themselves is forgotten, for the same reason.
        email: the address, which counts as confirmed.
        is_from_mailbox: the event was brought about by a link that was mailed to `email`, and by nothing else: see
            `of_user`.
        roles: all roles from now on.
        locked: locked or not.
        disabled: disabled or not.
        deleted: the user is gone, with everything that names him but the audit record.
        ends_links_since: links that were mailed to the user since then are worth nothing.
    """

    password_hash: str | None = field(default=None, repr=False)
    replaces: str | None = field(default=None, repr=False)
    forget_password: bool = False
    forget_consents: bool = False
    forget_profile: bool = False
    email: str | None = None
    roles: tuple[str, ...] | None = None
    locked: bool | None = None
    disabled: bool | None = None
    deleted: bool = False
    ends_links_since: datetime | None = None
    is_from_mailbox: bool = False

    def of_user(self, *, email_verified: bool) -> "UserChange":
        """What the change is for a user whose address was `email_verified` before.

        Anybody could register an address as long as it was not. Whoever proves it then takes over an account that a
        stranger may have prepared, so nothing stays that was put there before.
        """
        if email_verified or not self.is_from_mailbox:
            return self
        return replace(self, forget_consents=True, forget_profile=True)


NO_CHANGE = UserChange()
