"""The base of all credential events. They hold facts only; `revocation.apply` gets who asked, and from where."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.notice import Notice
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.credentials.user_change import NO_CHANGE, UserChange
from authserver.protocol.audit_name import AuditName
from authserver.records.link import LinkPurpose


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of an event, by the ids that an audit record can hold."""

    user_id: str | None = None
    sid: str | None = None
    client_id: str | None = None
    kid: str | None = None


@dataclass(frozen=True, slots=True)
class CredentialEvent:
    """A fact about a user's credentials or standing, or about a client or key that vouches for them.

    A subclass is a frozen, slotted dataclass. Its base defines its subject: `UserEvent`, `SessionEvent`, `ClientEvent`
    or `KeyEvent`. Its own fields hold the new facts.

    Settings may change only what a subclass allows explicitly. A row that settings could weaken until the event has no
    effect (a sign-out that signs nobody out) would be a switch that turns a check off.

    Attributes:
        name: stable, used in audit records, receipts and settings. Never reused for another event.
        audit_name: the OWASP vocabulary word under which it is recorded; several events may share one.
        POLICY: the row in force unless settings change it.
        other_reaches: the values that settings may give to the row's reach.
        adjustable: the other members of the row that settings may change.
        changes_credentials: whether it raises the user's `credential_version`, so that a sign-in verified before it
            fails, and ends what waits to change credentials.
    """

    name: ClassVar[str]
    audit_name: ClassVar[AuditName]
    POLICY: ClassVar[PolicyRow]
    other_reaches: ClassVar[frozenset[Reach]] = frozenset()
    adjustable: ClassVar[frozenset[str]] = frozenset({"mode", "notify"})
    changes_credentials: ClassVar[bool] = False

    def subject(self) -> Subject:
        """The subject of the event."""
        raise NotImplementedError

    def change(self) -> UserChange:
        """The changes to the user's row."""
        return NO_CHANGE

    def facts(self) -> Mapping[str, str]:
        """The details for the audit record, besides the subject; never a secret, never an address."""
        return {}

    def notices(self, address: str) -> tuple[Notice, ...]:
        """The mails to send if the policy notifies. `address` is the user's address before the event."""
        return (Notice(self.name, address, LinkPurpose.NOT_ME),)


@dataclass(frozen=True, slots=True)
class UserEvent(CredentialEvent):
    """An event about the user `user_id`."""

    user_id: str

    @override
    def subject(self) -> Subject:
        return Subject(self.user_id)


@dataclass(frozen=True, slots=True)
class SessionEvent(UserEvent):
    """An event about the session `sid` of a user."""

    sid: str

    @override
    def subject(self) -> Subject:
        return Subject(self.user_id, self.sid)


@dataclass(frozen=True, slots=True)
class ClientEvent(CredentialEvent):
    """An event about the client `client_id`."""

    client_id: str

    @override
    def subject(self) -> Subject:
        return Subject(client_id=self.client_id)


@dataclass(frozen=True, slots=True)
class KeyEvent(CredentialEvent):
    """An event about the signing key `kid`."""

    kid: str

    @override
    def subject(self) -> Subject:
        return Subject(kid=self.kid)


def register(*events: type[CredentialEvent]) -> tuple[type[CredentialEvent], ...]:
    """The events in the order given; two events with one name raise `ValueError`, at import."""
    for name, claims in Counter(event.name for event in events).items():
        if claims > 1:
            message = f"{claims} credential events are called {name!r}"
            raise ValueError(message)
    return events
