"""The public API for other code in the same process: the names in `__all__`, and nothing deeper (docs/embedding.md).

A program that changes credentials or users (an administration tool, an import, a shop that keeps its users here)
reports each change with one call, `Installation.apply`. The names here, their arguments and the events are stable; the
changelog lists changes of them. `authserver.verifier` is public, too.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from authserver.assembly import open_realm
from authserver.config import SettingsError
from authserver.credentials.email_address import InvalidEmail, canonicalise_email
from authserver.credentials.events import (
    EVENTS,
    ClientDisabled,
    CompromiseReported,
    CredentialEvent,
    EmailChanged,
    EmailChangeReverted,
    MfaChanged,
    PasswordChanged,
    PasswordRehashed,
    PasswordReset,
    PasswordSetByAdmin,
    RefreshTokenReused,
    RolesChanged,
    SessionEndedByAdmin,
    SessionEndedByUser,
    SignedOut,
    SignedOutByAdmin,
    SignedOutElsewhere,
    SignedOutEverywhere,
    SigningKeyCompromised,
    UserDeleted,
    UserDisabled,
    UserEnabled,
    UserLocked,
    UserUnlocked,
)
from authserver.credentials.password_text import PasswordBreach, normalise_password
from authserver.keyring.errors import KeyringError
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.failures import StorageUnavailableError
from authserver.revocation import Receipt
from authserver.storage import Transaction, users
from authserver.storage.users import AddressTakenError

__all__ = [
    "EVENTS",
    "Actor",
    "AddressTakenError",
    "ClientDisabled",
    "CompromiseReported",
    "CredentialEvent",
    "EmailChangeReverted",
    "EmailChanged",
    "Installation",
    "KeyringError",
    "MfaChanged",
    "PasswordBreach",
    "PasswordChanged",
    "PasswordRefusedError",
    "PasswordRehashed",
    "PasswordReset",
    "PasswordSetByAdmin",
    "Receipt",
    "RefreshTokenReused",
    "RolesChanged",
    "SessionEndedByAdmin",
    "SessionEndedByUser",
    "SettingsError",
    "SignedOut",
    "SignedOutByAdmin",
    "SignedOutElsewhere",
    "SignedOutEverywhere",
    "SigningKeyCompromised",
    "StorageUnavailableError",
    "Transaction",
    "UserDeleted",
    "UserDisabled",
    "UserEnabled",
    "UserLocked",
    "UserUnlocked",
    "open_installation",
]


class PasswordRefusedError(ValueError):
    """The password policy refuses a password. `breaches` has a stable code and a sentence for each reason."""

    def __init__(self, breaches: tuple[PasswordBreach, ...]) -> None:
        """Store the reasons."""
        super().__init__(" ".join(breach.message for breach in breaches))
        self.breaches = breaches


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation of authserver. Its server may run at the same time. Threads may share this object."""

    _realm: Realm

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begin a write transaction. It is committed durably when the block ends, and rolled back if the block raises.

        The value is a SQLAlchemy connection. Statements on your own tables in the same database may be in the same
        block, before `apply`.

        Raises:
            StorageUnavailableError: the database cannot be reached, or is too slow; nothing was written.
        """
        return self._realm.database.write()

    def find_user_id(self, tx: Transaction, email: str) -> str | None:
        """Find the id of the user with this e-mail address, in any spelling of it, or None."""
        address = canonicalise_email(email)
        user = None if isinstance(address, InvalidEmail) else users.find_by_email(tx, address)
        return None if user is None else user.user_id

    def hash_password(self, password: str, *, email: str = "", name: str = "") -> str:
        """Hash a password for `PasswordChanged` and similar events. Slow on purpose: call it before the transaction.

        Args:
            password: the password as the person types it. It is normalised (NFC), as at every sign-in.
            email: the person's address, which the password must not repeat; empty to skip this check.
            name: the person's name, which the password must not repeat; empty to skip this check.

        Raises:
            PasswordRefusedError: the installation's password policy refuses the password.
        """
        normal = normalise_password(password)
        if isinstance(normal, PasswordBreach):
            raise PasswordRefusedError((normal,))
        breaches = self._realm.passwords.policy.breaches(normal, email=email, name=name)
        if breaches:
            raise PasswordRefusedError(breaches)
        return self._realm.passwords.hasher.hash(normal)

    def apply(
        self,
        tx: Transaction,
        event: CredentialEvent,
        *,
        by: Actor,
        current: str | None = None,
        logout_devices: bool = True,
    ) -> Receipt:
        """Apply `event` as the revocation policy says, in the transaction `tx`.

        Args:
            tx: the transaction that `transaction` began.
            event: the event.
            by: the actor for the audit record: a word of your choice, a colon, an id.
            current: the `sid` of the session that asked for the change, if there is one.
            logout_devices: False keeps the other devices signed in, if the policy lets the client choose.

        Raises:
            AddressTakenError: the event gives the user the address of another user; the transaction cannot continue.

        NOT checked: whether `by` may do this.
        """
        realm = self._realm
        return realm.revocation.apply(
            tx, event, by=by, now=realm.clock.now(), current=current, logout_devices=logout_devices
        )

    def close(self) -> None:
        """Close the connections to the database."""
        self._realm.database.dispose()


def open_installation() -> Installation:
    """Open the installation that the settings name, in the environment or the file, as every command does.

    Raises:
        SettingsError: the settings are unusable; the message names all errors.
        KeyringError: the keys cannot be used; the message is one line.
        StorageUnavailableError: the database cannot be reached.
    """
    return Installation(open_realm())
