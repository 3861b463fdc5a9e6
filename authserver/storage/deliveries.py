"""Statements on the outbox: a delivery is queued with the act that causes it, claimed by any node, and then removed.

A claim is a lease. If the process dies, the delivery becomes due again, so each delivery is made at least once. Due
deliveries are ordered by rank, then by the time since which they are due. A node claims only kinds that it knows.

A kind may be ordered: of each target, only the delivery that was queued first can be claimed. So one is in flight at a
time, and if it is put off, the others wait behind it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, assert_never

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, or_, select, true, tuple_, update

from authserver.records.delivery import Delivery, Rank, Share
from authserver.storage.picking import pick_free
from authserver.storage.schema import QueuedDelivery

LONGEST_WAIT: Final = timedelta(days=1)
"""A time longer than any lease and any pause between two attempts."""
_D = QueuedDelivery.__table__.c
_DELIVERY: Final[Sequence[ColumnElement[Any]]] = (_D.delivery_id, _D.kind, _D.target, _D.payload, _D.attempts)
_EARLIER = QueuedDelivery.__table__.alias("earlier")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The deliveries that a worker claims: of which kinds, and whether each is ordered; of those, its share."""

    kinds: Mapping[str, bool]
    share: Share = Share.ALL


def queue(tx: Connection, delivery: Delivery, now: datetime, *, rank: Rank, due_at: datetime | None = None) -> None:
    """Queue `delivery`, to be made if this transaction commits: at once, or at `due_at`. A lower rank goes first."""
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


def is_any_due(tx: Connection, now: datetime, wanted: Wanted) -> bool:
    """Whether a delivery can be claimed. Every worker asks each second, so this takes no lock."""
    return bool(tx.execute(select(select(_D.delivery_id).where(_can_be_claimed(now, wanted)).exists())).scalar_one())


def claim(tx: Connection, now: datetime, wanted: Wanted, *, until: datetime) -> Delivery | None:
    """Claim the next due delivery; no other process gets it before `until`."""
    # A scalar subquery runs once. With `IN`, PostgreSQL may run it again for each row, and claim more than one.
    order = (_D.rank, _D.due_at, _D.queued_at)
    due = select(_D.delivery_id).where(_can_be_claimed(now, wanted)).order_by(*order).limit(1)
    row = tx.execute(
        update(QueuedDelivery)
        .where(_D.delivery_id == due.with_for_update(skip_locked=True).scalar_subquery())
        .values(due_at=until, attempts=_D.attempts + 1)
        .returning(*_DELIVERY)
    ).one_or_none()
    return None if row is None else _decode(row)


def postpone(tx: Connection, delivery: Delivery, due_at: datetime, *, after_others: bool = False) -> None:
    """Make `delivery` due again at `due_at`, unless another process has claimed it since.

    Its payload is written, too. `after_others` lets the deliveries to its target that are queued before `due_at` go
    first.
    """
    mine = (_D.delivery_id == delivery.delivery_id, _D.attempts == delivery.attempts)
    values: dict[str, object] = {"due_at": due_at, "payload": json.dumps(dict(delivery.payload))}
    if after_others:
        values["queued_at"] = due_at
    tx.execute(update(QueuedDelivery).where(*mine).values(values))


def hold_back(tx: Connection, kind: str, target: str, now: datetime, *, until: datetime) -> None:
    """Postpone the due deliveries of this `kind` to `target` to `until`."""
    _postpone_all(tx, and_(_D.kind == kind, _D.target == target), now, until)


def hold_neighbours_back(tx: Connection, kind: str, ending: str, now: datetime, *, rank: Rank, until: datetime) -> None:
    """Postpone the due deliveries of this `kind` and `rank` to all targets that end with `ending` to `until`."""
    has_ending = _D.target.endswith(ending, autoescape=True)
    _postpone_all(tx, and_(_D.kind == kind, _D.rank == int(rank), has_ending), now, until)


def _postpone_all(tx: Connection, which: ColumnElement[bool], now: datetime, until: datetime) -> None:
    # A delivery that is not due yet is claimed, or waits for a later moment.
    mine = select(_D.delivery_id).where(which, _D.due_at <= now)
    tx.execute(update(QueuedDelivery).where(_D.delivery_id.in_(pick_free(mine))).values(due_at=until))


def remove(tx: Connection, delivery_id: str) -> bool:
    """Remove a delivery that was made or given up; False if it was already removed."""
    return bool(tx.execute(delete(QueuedDelivery).where(_D.delivery_id == delivery_id)).rowcount)


def take_out_excess(tx: Connection, kind: str, target: str, *, most: int) -> list[Delivery]:
    """Remove and return the oldest deliveries of this `kind` to `target`, so that `most` are left."""
    mine = select(_D.delivery_id).where(_D.kind == kind, _D.target == target)
    excess = mine.order_by(_D.queued_at.desc(), _D.delivery_id.desc()).offset(most)
    removed = delete(QueuedDelivery).where(_D.delivery_id.in_(pick_free(excess))).returning(*_DELIVERY)
    return [_decode(row) for row in tx.execute(removed)]


def prune(tx: Connection, due_before: datetime, *, limit: int) -> int:
    """Remove up to `limit` deliveries that were due before `due_before` and that nobody works on; return how many."""
    left = select(_D.delivery_id).where(_D.due_at < due_before).limit(limit)
    return tx.execute(delete(QueuedDelivery).where(_D.delivery_id.in_(pick_free(left)))).rowcount


def is_due(due_at: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    """Whether a delivery with this `due_at` is due."""
    # No delivery is postponed for so long. Such a due time comes from a clock that was ahead, and would delay it.
    return (due_at <= now) | (due_at > now + LONGEST_WAIT)


def _can_be_claimed(now: datetime, wanted: Wanted) -> ColumnElement[bool]:
    is_wanted = and_(_D.kind.in_(wanted.kinds), is_due(_D.due_at, now), _is_in(wanted.share))
    ordered = [kind for kind, is_ordered in wanted.kinds.items() if is_ordered]
    if not ordered:
        return is_wanted
    earlier = select(_EARLIER.c.delivery_id).where(
        _EARLIER.c.target == _D.target,
        _EARLIER.c.kind == _D.kind,
        tuple_(_EARLIER.c.queued_at, _EARLIER.c.delivery_id) < tuple_(_D.queued_at, _D.delivery_id),
    )
    return and_(is_wanted, or_(_D.kind.not_in(ordered), ~earlier.exists()))


def _is_in(share: Share) -> ColumnElement[bool]:
    match share:
        case Share.ALL:
            return true()
        case Share.FIRST_ATTEMPTS:
            return _D.attempts == 0
        case Share.REPEATED:
            return _D.attempts > 0
        case _:
            assert_never(share)


def _decode(row: Row[Any]) -> Delivery:
    return Delivery(
        delivery_id=row.delivery_id,
        kind=row.kind,
        target=row.target,
        payload=json.loads(row.payload),
        attempts=row.attempts,
    )
