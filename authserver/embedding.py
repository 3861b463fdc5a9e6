"""What other code in the same process may use: the names in `__all__`, and nothing deeper (docs/embedding.md).

A program that changes what a credential is about (an administration tool, an import, a shop that keeps its users here)
reports it with one call, `Installation.apply`. The names here, their arguments and the events are kept; a change of
them is in the changelog. Beside this module, `authserver.verifier` is public.
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
    """A password that nobody may have. `breaches` has a stable code and a sentence for each reason."""

    def __init__(self, breaches: tuple[PasswordBreach, ...]) -> None:
        """Refuse it for these reasons."""
        super().__init__(" ".join(breach.message for breach in breaches))
        self.breaches = breaches


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation of authserver, beside which a server may run. Safe to share between threads."""

    _realm: Realm

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A write transaction: committed, durably, when the block ends, and rolled back when it raises.

        What it gives is a SQLAlchemy connection: statements on tables of your own in the same database may go into the
        same block, before `apply`.

        Raises:
            StorageUnavailableError: the database cannot be reached, or is too slow; nothing was written.
        """
        return self._realm.database.write()

    def find_user_id(self, tx: Transaction, email: str) -> str | None:
        """The id of the user with this e-mail address in any spelling, or None."""
        address = canonicalise_email(email)
        user = None if isinstance(address, InvalidEmail) else users.find_by_email(tx, address)
        return None if user is None else user.user_id

    def hash_password(self, password: str, *, email: str = "", name: str = "") -> str:
        """A hash for `PasswordChanged` and its relatives. Slow on purpose: call it before the transaction.

        Args:
            password: what the person types. It is normalised (NFC) as at every sign-in.
            email: the person's address, which the password must not repeat; empty where that is not to be checked.
            name: the person's name, likewise.

        Raises:
            PasswordRefusedError: the installation's password policy refuses it.
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
        """Carry out `event` as the revocation policy says, in the transaction `tx`.

        Args:
            tx: what `transaction` gave.
            event: what happened.
            by: who did it, for the audit record: a word of your own, a colon, an id.
            current: the `sid` of the session that asked, if one did.
            logout_devices: False spares the other devices, where the policy lets the client choose.

        Raises:
            AddressTakenError: the event gives the user an address that another one has; the transaction is lost.

        What is NOT checked: whether `by` may do this.
        """
        realm = self._realm
        return realm.revocation.apply(
            tx, event, by=by, now=realm.clock.now(), current=current, logout_devices=logout_devices
        )

    def close(self) -> None:
        """Close the connections to the database."""
        self._realm.database.dispose()


def open_installation() -> Installation:
    """The installation that the settings name, in the environment or the file, as for every command.

    Raises:
        SettingsError: everything that is wrong with the settings.
        KeyringError: what is wrong with the keys, in one line.
        StorageUnavailableError: the database cannot be reached.
    """
    return Installation(open_realm())
