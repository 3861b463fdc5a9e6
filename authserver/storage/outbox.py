"""Statements on the outbox: a mail is queued with the act that causes it, claimed by any node, and then removed.

A claim is a lease: if a node dies with it, another node claims the mail later. So a mail is sent at least once. Due
mails are ordered by rank, then by due time.
"""

import json
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select, update

from authserver.records.queued_mail import QueuedMail
from authserver.storage.picking import pick_free
from authserver.storage.schema import OutboxMail

LONGEST_WAIT: Final = timedelta(days=1)
"""A time longer than any lease and any pause between two attempts."""
_O = OutboxMail.__table__.c


def queue(tx: Connection, mail: QueuedMail, now: datetime, *, rank: int) -> None:
    """Queue `mail`, to be sent if this transaction commits. Of the due mails, a lower `rank` goes first."""
    tx.execute(
        insert(OutboxMail),
        {
            "mail_id": mail.mail_id,
            "template": mail.template,
            "rank": rank,
            "address": mail.address,
            "link_id": mail.link_id,
            "parameters": json.dumps(dict(mail.parameters)),
            "queued_at": now,
            "due_at": now,
            "attempts": mail.attempts,
        },
    )


def is_any_due(tx: Connection, now: datetime) -> bool:
    """Whether a mail is due. Every process asks each second, so this takes no lock."""
    return bool(tx.execute(select(select(_O.mail_id).where(_is_due(now)).exists())).scalar_one())


def claim(tx: Connection, now: datetime, *, until: datetime) -> QueuedMail | None:
    """Claim the next due mail; no other process gets it before `until`."""
    # A scalar subquery runs once. With `IN`, PostgreSQL may run it again for each row, and claim more than one.
    order = (_O.rank, _O.due_at, _O.queued_at)
    due = select(_O.mail_id).where(_is_due(now)).order_by(*order).limit(1).with_for_update(skip_locked=True)
    row = tx.execute(
        update(OutboxMail)
        .where(_O.mail_id == due.scalar_subquery())
        .values(due_at=until, attempts=_O.attempts + 1)
        .returning(_O.mail_id, _O.template, _O.address, _O.link_id, _O.parameters, _O.attempts)
    ).one_or_none()
    return None if row is None else _decode(row)


def postpone(tx: Connection, mail: QueuedMail, due_at: datetime) -> None:
    """Make `mail` due again at `due_at`, unless another process has claimed it since."""
    tx.execute(update(OutboxMail).where(_O.mail_id == mail.mail_id, _O.attempts == mail.attempts).values(due_at=due_at))


def hold_back(tx: Connection, address: str, now: datetime, *, until: datetime) -> None:
    """Postpone the due mails to `address` to `until`."""
    _postpone_all(tx, _O.address == address, now, until)


def hold_domain_back(tx: Connection, domain: str, now: datetime, *, rank: int, until: datetime) -> None:
    """Postpone the due mails of this `rank` to all addresses at `domain` to `until`."""
    at_domain = _O.address.endswith(f"@{domain}", autoescape=True)
    _postpone_all(tx, and_(_O.rank == rank, at_domain), now, until)


def _postpone_all(tx: Connection, which: ColumnElement[bool], now: datetime, until: datetime) -> None:
    # A mail that is not due yet is claimed, or waits for a later moment.
    mine = select(_O.mail_id).where(which, _O.due_at <= now)
    tx.execute(update(OutboxMail).where(_O.mail_id.in_(pick_free(mine))).values(due_at=until))


def remove(tx: Connection, mail_id: str) -> bool:
    """Remove a mail that was handed over or given up; False if it was already removed."""
    return bool(tx.execute(delete(OutboxMail).where(_O.mail_id == mail_id)).rowcount)


def prune(tx: Connection, due_before: datetime, *, limit: int) -> int:
    """Remove up to `limit` mails that were due before `due_before` and that nobody works on; return how many."""
    left = select(_O.mail_id).where(_O.due_at < due_before).limit(limit)
    return tx.execute(delete(OutboxMail).where(_O.mail_id.in_(pick_free(left)))).rowcount


def _is_due(now: datetime) -> ColumnElement[bool]:
    # No mail is postponed for so long. Such a due time comes from a clock that was ahead, and would delay the mail.
    return (_O.due_at <= now) | (_O.due_at > now + LONGEST_WAIT)


def _decode(row: Row[Any]) -> QueuedMail:
    return QueuedMail(
        mail_id=row.mail_id,
        template=row.template,
        address=row.address,
        link_id=row.link_id,
        parameters=json.loads(row.parameters),
        attempts=row.attempts,
    )
