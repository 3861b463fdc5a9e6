"""One line of the audit record, who causes it, and which lines a reader asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from authserver.protocol.audit_name import AuditName

Detail = Mapping[str, str | int | bool | None]
"""Plain values, never a secret, never a token."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who causes an event: a user's id, `client:ID`, `cli:NAME`, `server`; and the address the request came from."""

    name: str
    ip: str | None = None


SERVER = Actor("server")
"""The server by itself: what it does in the background, and what is no request of anybody."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One line of the record. `name` is an `AuditName`, or one that an earlier release wrote."""

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
    """Which records are asked for: those that fit everything that is set. `since` is in, `until` is out.

    `without` names what nobody asks for.
    """

    user_id: str | None = None
    name: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    without: frozenset[AuditName] = frozenset()
