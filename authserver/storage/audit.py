"""The append-only record of who did what, when, from where, with which outcome."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from authserver.storage.schema import AuditEvent


@dataclass(frozen=True, slots=True)
class Actor:
    """Who causes an event: a user's id, `client:ID`, `cli`, `server`; and the address the request came from."""

    name: str
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One line of the record. `detail` holds plain values, never a secret and never a token."""

    event_id: str
    at: datetime
    name: str
    outcome: str
    actor: Actor
    user_id: str | None
    sid: str | None
    client_id: str | None
    detail: Mapping[str, str | int | bool | None]


def append(tx: Connection, record: AuditRecord) -> None:
    """Append `record` inside the transaction whose act it describes."""
    tx.execute(
        insert(AuditEvent).values(
            event_id=record.event_id,
            at=record.at,
            name=record.name,
            outcome=record.outcome,
            actor=record.actor.name,
            ip=record.actor.ip,
            user_id=record.user_id,
            sid=record.sid,
            client_id=record.client_id,
            detail=json.dumps(dict(record.detail), sort_keys=True, ensure_ascii=True),
        )
    )
