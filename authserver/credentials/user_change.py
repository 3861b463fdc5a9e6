"""The changes that a credential event makes to the user's row. `revocation` writes them in its transaction."""

from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """Changes to a user's row. Only the members that are set are written.

    Attributes:
        password_hash: the new hash.
        replaces: write `password_hash` only while the stored hash is this one (a re-hash of the same password).
        forget_password: remove the password; no password works before a reset has set one.
        forget_consents: remove the user's consents, because somebody else may have given them.
        forget_profile: remove the user's profile data, because somebody else may have written it.
        email: the new address, which counts as confirmed.
        is_from_mailbox: whether only a link that was mailed to `email` caused the event (see `of_user`).
        roles: all roles from now on.
        locked: whether the user is locked.
        disabled: whether the user is disabled.
        deleted: remove the user and everything that names them, except the audit record.
        ends_links_since: end all links that were mailed to the user since then.
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
        """The change for a user whose address was verified before, or was not (`email_verified`).

        While an address is unverified, anybody may have registered it. The person who proves it takes over a user
        record that a stranger may have prepared, so nothing stays that was stored before.
        """
        if email_verified or not self.is_from_mailbox:
            return self
        return replace(self, forget_consents=True, forget_profile=True)


NO_CHANGE = UserChange()
