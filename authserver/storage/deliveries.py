"""Statements on the outbox: queued with the act that causes a delivery, claimed by any node, gone when handed over.

A claim is a lease: whoever dies with it leaves the delivery to the next one. So it is made at least once. What is due
goes by rank, then by the time since when it is due. A node claims only kinds that it knows.
"""

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select, update

from authserver.records.delivery import Delivery, Rank
from authserver.storage.picking import pick_free
from authserver.storage.schema import QueuedDelivery

LONGEST_WAIT: Final = timedelta(days=1)
"""Longer than any lease and any pause between two attempts."""
_D = QueuedDelivery.__table__.c


def queue(tx: Connection, delivery: Delivery, now: datetime, *, rank: Rank, due_at: datetime | None = None) -> None:
    """Queue `delivery`, to be made if this transaction commits, at once or at `due_at`. Lower ranks go first."""
    tx.execute(
        insert(QueuedDelivery),
        {
            "delivery_id": delivery.delivery_id,
            "kind": delivery.kind,
            "target": delivery.target,
            "payload": json.dumps(dict(delivery.payload)),
            "rank": int(rank),
            "queued_at": now,
            "due_at": now if due_at is None else due_at,
            "attempts": delivery.attempts,
        },
    )


def is_any_due(tx: Connection, now: datetime, kinds: Collection[str]) -> bool:
    """Whether there is something to claim: asked every second by everybody, so it takes no lock."""
    return bool(tx.execute(select(select(_D.delivery_id).where(_can_be_claimed(now, kinds)).exists())).scalar_one())


def claim(tx: Connection, now: datetime, kinds: Collection[str], *, until: datetime) -> Delivery | None:
    """Take the next delivery of one of the `kinds` that is due; nobody else gets it before `until`."""
    # A scalar subquery runs once. With `IN`, PostgreSQL may run it again for each row, and claim more than one.
    order = (_D.rank, _D.due_at, _D.queued_at)
    due = select(_D.delivery_id).where(_can_be_claimed(now, kinds)).order_by(*order).limit(1)
    row = tx.execute(
        update(QueuedDelivery)
        .where(_D.delivery_id == due.with_for_update(skip_locked=True).scalar_subquery())
        .values(due_at=until, attempts=_D.attempts + 1)
        .returning(_D.delivery_id, _D.kind, _D.target, _D.payload, _D.attempts)
    ).one_or_none()
    return None if row is None else _decode(row)


def postpone(tx: Connection, delivery: Delivery, due_at: datetime) -> None:
    """Try again at `due_at`, unless somebody else has claimed `delivery` since."""
    mine = (_D.delivery_id == delivery.delivery_id, _D.attempts == delivery.attempts)
    tx.execute(update(QueuedDelivery).where(*mine).values(due_at=due_at))


def hold_back(tx: Connection, kind: str, target: str, now: datetime, *, until: datetime) -> None:
    """Leave what is due for `target` alone until then."""
    _postpone_all(tx, and_(_D.kind == kind, _D.target == target), now, until)


def hold_neighbours_back(tx: Connection, kind: str, ending: str, now: datetime, *, rank: Rank, until: datetime) -> None:
    """Leave what is due for all targets with this `ending` alone until then, as far as it has this `rank`."""
    has_ending = _D.target.endswith(ending, autoescape=True)
    _postpone_all(tx, and_(_D.kind == kind, _D.rank == int(rank), has_ending), now, until)


def _postpone_all(tx: Connection, which: ColumnElement[bool], now: datetime, until: datetime) -> None:
    # What is not due yet is claimed by somebody, or waits for a later moment.
    mine = select(_D.delivery_id).where(which, _D.due_at <= now)
    tx.execute(update(QueuedDelivery).where(_D.delivery_id.in_(pick_free(mine))).values(due_at=until))


def remove(tx: Connection, delivery_id: str) -> bool:
    """The delivery was made, or given up; False when somebody else has removed it."""
    return bool(tx.execute(delete(QueuedDelivery).where(_D.delivery_id == delivery_id)).rowcount)


def prune(tx: Connection, due_before: datetime, *, limit: int) -> int:
    """Remove up to `limit` deliveries that were due before `due_before`, and that nobody has worked on; how many."""
    left = select(_D.delivery_id).where(_D.due_at < due_before).limit(limit)
    return tx.execute(delete(QueuedDelivery).where(_D.delivery_id.in_(pick_free(left)))).rowcount


def is_due(due_at: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    """Whether it is time for what is due at `due_at`."""
    # Nobody puts off for so long: the clock that did was ahead, and the delivery would wait until its time has come.
    return (due_at <= now) | (due_at > now + LONGEST_WAIT)


def _can_be_claimed(now: datetime, kinds: Collection[str]) -> ColumnElement[bool]:
    return and_(_D.kind.in_(kinds), is_due(_D.due_at, now))


def _decode(row: Row[Any]) -> Delivery:
    return Delivery(
        delivery_id=row.delivery_id,
        kind=row.kind,
        target=row.target,
        payload=json.loads(row.payload),
        attempts=row.attempts,
    )
