"""The append-only record of who did what, when, from where, with which outcome."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select

from authserver.storage.schema import AuditEvent

_A = AuditEvent.__table__.c
_RECORD: Select[Any] = select(
    _A.event_id, _A.at, _A.name, _A.outcome, _A.actor, _A.ip, _A.user_id, _A.sid, _A.client_id, _A.detail
)
_NEWEST_FIRST = (_A.at.desc(), _A.event_id.desc())


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


def list_of_user(tx: Connection, user_id: str, *, limit: int = 1000) -> list[AuditRecord]:
    """The newest records about one user, newest first."""
    return [
        _decode(row) for row in tx.execute(_RECORD.where(_A.user_id == user_id).order_by(*_NEWEST_FIRST).limit(limit))
    ]


def _decode(row: Sequence[Any]) -> AuditRecord:
    event_id, at, name, outcome, actor, ip, user_id, sid, client_id, detail = row
    return AuditRecord(event_id, at, name, outcome, Actor(actor, ip), user_id, sid, client_id, json.loads(detail))
