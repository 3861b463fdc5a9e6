"""Statements on the append-only audit record: who did what, when, from where, with which outcome."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, insert, or_, select

from authserver.protocol.audit_name import AuditName
from authserver.protocol.entropy import Entropy, new_id
from authserver.records.audit import Actor, AuditFilter, AuditRecord, Detail
from authserver.storage.schema import AuditEvent

_A = AuditEvent.__table__.c
_RECORD: Select[Any] = select(
    _A.event_id, _A.at, _A.name, _A.outcome, _A.actor, _A.ip, _A.user_id, _A.sid, _A.client_id, _A.detail
)
_NEWEST_FIRST = (_A.at.desc(), _A.event_id.desc())


def write(  # noqa: PLR0913 - who, what, about whom and with which outcome are different facts
    tx: Connection,
    name: AuditName,
    *,
    by: Actor,
    now: datetime,
    entropy: Entropy,
    outcome: str = "success",
    user_id: str | None = None,
    sid: str | None = None,
    client_id: str | None = None,
    detail: Detail | None = None,
) -> None:
    """Write one record in the transaction of the act that it describes."""
    append(tx, AuditRecord(new_id(entropy), now, name.value, outcome, by, user_id, sid, client_id, detail or {}))


def append(tx: Connection, record: AuditRecord) -> None:
    """Append `record` in the transaction of the act that it describes."""
    tx.execute(
        insert(AuditEvent),
        {
            "event_id": record.event_id,
            "at": record.at,
            "name": record.name,
            "outcome": record.outcome,
            "actor": record.actor.name,
            "ip": record.actor.ip,
            "user_id": record.user_id,
            "sid": record.sid,
            "client_id": record.client_id,
            "detail": json.dumps(dict(record.detail), sort_keys=True, ensure_ascii=True),
        },
    )


def list_page(
    tx: Connection, wanted: AuditFilter, *, limit: int, after: AuditRecord | None = None
) -> list[AuditRecord]:
    """List up to `limit` records, newest first, that follow `after`, the last one of the previous page.

    A record that is committed later may carry an earlier instant, so a program that polls must look back a little.
    """
    conditions = []
    if wanted.user_id is not None:
        conditions.append(_A.user_id == wanted.user_id)
    if wanted.name is not None:
        conditions.append(_A.name == wanted.name)
    # SQLAlchemy refuses to build an order comparison with None, so each condition is built only if it is set.
    if wanted.since is not None:
        conditions.append(_A.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(_A.at < wanted.until)
    if wanted.without:
        conditions.append(_A.name.not_in([name.value for name in wanted.without]))
    if after is not None:
        conditions.append(or_(_A.at < after.at, and_(_A.at == after.at, _A.event_id < after.event_id)))
    return [_decode(row) for row in tx.execute(_RECORD.where(*conditions).order_by(*_NEWEST_FIRST).limit(limit))]


def find_of_user(tx: Connection, user_id: str, event_id: str) -> AuditRecord | None:
    """The record with this id, if it is about this user."""
    row = tx.execute(_RECORD.where(_A.event_id == event_id, _A.user_id == user_id)).one_or_none()
    return None if row is None else _decode(row)


def count_since(tx: Connection, name: AuditName, user_id: str | None, since: datetime, *, most: int) -> int:
    """Count the records of `name` since then about this user (None: about no user), up to `most`."""
    about = _A.user_id.is_(None) if user_id is None else _A.user_id == user_id
    found = select(_A.event_id).where(about, _A.at > since, _A.name == name.value).limit(most).subquery()
    return tx.execute(select(func.count()).select_from(found)).scalar_one()


def list_of_user(tx: Connection, user_id: str, *, limit: int = 1000) -> list[AuditRecord]:
    """The newest records about one user, newest first."""
    return list_page(tx, AuditFilter(user_id=user_id), limit=limit)


def _decode(row: Row[Any]) -> AuditRecord:
    return AuditRecord(
        event_id=row.event_id,
        at=row.at,
        name=row.name,
        outcome=row.outcome,
        actor=Actor(row.actor, row.ip),
        user_id=row.user_id,
        sid=row.sid,
        client_id=row.client_id,
        detail=json.loads(row.detail),
    )
