"""An audit record, the actor who causes it, and the filter by which a reader selects records."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from authserver.protocol.audit_name import AuditName

Detail = Mapping[str, str | int | bool | None]
"""Plain values, never a secret, never a token."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The cause of an event: a user's id, `client:ID`, `cli:NAME` or `server`; and the address of the request."""

    name: str
    ip: str | None = None


SERVER = Actor("server")
"""The server itself: its background work, and everything else that no request caused."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One audit record. `name` is an `AuditName`, or a name that an earlier release wrote."""

    event_id: str
    at: datetime
    name: str
    outcome: str
    actor: Actor
    user_id: str | None
    sid: str | None
    client_id: str | None
    detail: Detail


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """A filter of audit records. A record must match every part that is set. `since` is inclusive, `until` exclusive.

    `without` holds names to leave out.
    """

    user_id: str | None = None
    name: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    without: frozenset[AuditName] = frozenset()
