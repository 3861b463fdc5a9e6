"""Statements on the outbox: queued with the act that causes the mail, claimed by any node, gone when handed over.

A claim is a lease: whoever dies with it leaves the mail to the next one. So a mail is sent at least once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from authserver.storage.schema import OutboxMail

_O = OutboxMail.__table__.c

Parameters = Mapping[str, str | int | bool | None]
"""What a template needs besides the link: plain values, no secret."""


@dataclass(frozen=True, slots=True)
class QueuedMail:
    """A mail as it was queued. `link_id` names the link to write into it."""

    mail_id: str
    template: str
    address: str
    link_id: bytes | None
    parameters: Parameters
    attempts: int = 0


def queue(tx: Connection, mail: QueuedMail, now: datetime) -> None:
    """Queue `mail`, to be sent if this transaction commits."""
    tx.execute(
        insert(OutboxMail).values(
            mail_id=mail.mail_id,
            template=mail.template,
            address=mail.address,
            link_id=mail.link_id,
            parameters=json.dumps(dict(mail.parameters)),
            queued_at=now,
            due_at=now,
            attempts=mail.attempts,
        )
    )


def claim(tx: Connection, now: datetime, *, until: datetime, limit: int) -> list[QueuedMail]:
    """Take up to `limit` mails that are due; nobody else gets them before `until`."""
    due = select(_O.mail_id).where(_O.due_at <= now).order_by(_O.due_at).limit(limit).with_for_update(skip_locked=True)
    rows = tx.execute(
        update(OutboxMail)
        .where(_O.mail_id.in_(due))
        .values(due_at=until, attempts=_O.attempts + 1)
        .returning(_O.mail_id, _O.template, _O.address, _O.link_id, _O.parameters, _O.attempts)
    )
    return [_decode(row) for row in rows]


def postpone(tx: Connection, mail_id: str, due_at: datetime) -> None:
    """Try again at `due_at`."""
    tx.execute(update(OutboxMail).where(_O.mail_id == mail_id).values(due_at=due_at))


def remove(tx: Connection, mail_id: str) -> bool:
    """The mail was handed over, or given up; False when somebody else has removed it."""
    return bool(tx.execute(delete(OutboxMail).where(_O.mail_id == mail_id)).rowcount)


def _decode(row: Sequence[Any]) -> QueuedMail:
    mail_id, template, address, link_id, parameters, attempts = row
    return QueuedMail(mail_id, template, address, link_id, json.loads(parameters), attempts)
