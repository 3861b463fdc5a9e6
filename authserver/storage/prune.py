"""Statements that remove expired and ended rows, a few at a time.

The columns that rotation changes have no index, so no query can find the ended families directly. Each step looks at
the next few in the order of their (random) ids, from where the last step stopped; the caller keeps that place. No step
waits for a locked row: the next round takes it, and no deadlock is possible.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, func, or_, select

from authserver.storage.picking import pick_free
from authserver.storage.schema import AuditEvent, RefreshTokenFamily, Session

BATCH: Final = 200
"""Rows of one table per step. This takes a few milliseconds of one connection, and of SQLite's only writer."""

START: Final = b""
"""The place before the first family."""

_A = AuditEvent.__table__.c
_F = RefreshTokenFamily.__table__.c
_S = Session.__table__.c


@dataclass(frozen=True, slots=True)
class FamiliesPruned:
    """The number of removed families, their sessions, and the place to continue; None after the last family."""

    count: int
    sids: frozenset[str]
    place: bytes | None


def prune_families(tx: Connection, place: bytes, over_since: datetime, *, limit: int = BATCH) -> FamiliesPruned:
    """Of the `limit` families after `place`, remove those that ended, became idle or expired before `over_since`."""
    looked_at = (
        tx.execute(select(_F.family_id).where(_F.family_id > place).order_by(_F.family_id).limit(limit)).scalars().all()
    )
    if not looked_at:
        return FamiliesPruned(0, frozenset(), None)
    over = select(_F.family_id).where(
        _F.family_id > place,
        _F.family_id <= looked_at[-1],
        # An ended family may have been in use. A family that was not ended becomes idle before it expires.
        func.coalesce(_F.ended_at, _F.idle_expires_at) < over_since,
    )
    removed = delete(RefreshTokenFamily).where(_F.family_id.in_(pick_free(over))).returning(_F.sid)
    sids = tx.execute(removed).scalars().all()
    return FamiliesPruned(len(sids), frozenset(sids), looked_at[-1] if len(looked_at) == limit else None)


def prune_sessions(tx: Connection, sids: Collection[str], over_since: datetime, *, limit: int = BATCH) -> int:
    """Remove sessions that ended or expired before `over_since` and have no family left; return how many.

    It examines `sids`, which have just lost a family, and the `limit` sessions that expired first.
    """
    bare = ~select(_F.family_id).where(_F.sid == _S.sid).exists()
    of_families = select(_S.sid).where(
        _S.sid.in_(sids), or_(_S.ended_at < over_since, _S.expires_at < over_since), bare
    )
    expired = select(_S.sid).where(_S.expires_at < over_since, bare).order_by(_S.expires_at).limit(limit)
    return sum(
        tx.execute(delete(Session).where(_S.sid.in_(pick_free(some)))).rowcount for some in (of_families, expired)
    )


def prune_audit_events(tx: Connection, before: datetime, *, limit: int = BATCH) -> int:
    """Remove up to `limit` audit events older than `before`, the oldest first; return how many."""
    old = select(_A.event_id).where(_A.at < before).order_by(_A.at).limit(limit)
    return tx.execute(delete(AuditEvent).where(_A.event_id.in_(pick_free(old)))).rowcount
