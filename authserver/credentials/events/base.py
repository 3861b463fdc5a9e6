"""What every credential event has in common. Facts only: who asked, and from where, is given to `revocation.apply`."""

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

from authserver.credentials.notice import Notice
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.credentials.user_change import NO_CHANGE, UserChange
from authserver.protocol.audit_name import AuditName
from authserver.records.link import LinkPurpose


class CredentialEvent:
    """A fact about a user's credentials or standing, or about a client or key that vouches for them.

    A subclass is a frozen, slotted dataclass whose fields say what the event is about: `user_id`, `sid`, `client_id`
    and `kid` mean the same in each of them.

    What settings may make of the row is granted, never assumed: a row that a setting could weaken until the event means
    nothing (a sign-out that signs nobody out) would be a switch that turns a check off.

    Attributes:
        name: stable; stands in audit records, receipts and settings. Never used again for something else.
        audit_name: the word of the OWASP vocabulary under which it is recorded; several events may share one.
        POLICY: the row in force unless settings say otherwise.
        other_reaches: what settings may put in place of the row's reach.
        adjustable: the other members of the row that settings may change.
        changes_credentials: whether a sign-in that was verified before may still succeed after it: it raises the
            user's `credential_version`, and ends what waits to change credentials.
    """

    __slots__: tuple[str, ...] = ()

    name: ClassVar[str]
    audit_name: ClassVar[AuditName]
    POLICY: ClassVar[PolicyRow]
    other_reaches: ClassVar[frozenset[Reach]] = frozenset()
    adjustable: ClassVar[frozenset[str]] = frozenset({"mode", "notify"})
    changes_credentials: ClassVar[bool] = False

    @classmethod
    def is_about(cls, field: str) -> bool:
        """Whether this event names a `user_id`, a `sid`, a `client_id`, a `kid`."""
        return field in cls.__slots__

    def change(self) -> UserChange:
        """What is written on the user's row."""
        return NO_CHANGE

    def facts(self) -> Mapping[str, str]:
        """What the audit record keeps of the event besides whom it is about; never a secret, never an address."""
        return {}

    def notices(self, address: str) -> tuple[Notice, ...]:
        """Whom to tell, where the policy says so. `address` is the user's before the event."""
        return (Notice(self.name, address, LinkPurpose.NOT_ME),)


def register(*events: type[CredentialEvent]) -> tuple[type[CredentialEvent], ...]:
    """The events in the order given; a name that two of them claim raises `ValueError`, and so at import."""
    for name, claims in Counter(event.name for event in events).items():
        if claims > 1:
            message = f"{claims} credential events are called {name!r}"
            raise ValueError(message)
    return events
