"""Statements that remove what is over for good, a few rows at a time.

What rotation changes has no index, so the families that are over cannot be asked for. Each step looks at the next few
in the order of their (random) ids instead, from where the last one stopped; the caller holds that place. No step waits
for a row that somebody else is working on: it is left for the next time round, and nobody can deadlock with this.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, func, or_, select

from authserver.storage.picking import pick_free
from authserver.storage.schema import AuditEvent, RefreshTokenFamily, Session

BATCH: Final = 200
"""How many rows of one table a step looks at: a few milliseconds of one connection, and of SQLite's only writer."""

START: Final = b""
"""The place before the first family."""

_A = AuditEvent.__table__.c
_F = RefreshTokenFamily.__table__.c
_S = Session.__table__.c


@dataclass(frozen=True, slots=True)
class FamiliesPruned:
    """How many families went, which sessions they were of, and where to go on; None after the last family."""

    count: int
    sids: frozenset[str]
    place: bytes | None


def prune_families(tx: Connection, place: bytes, over_since: datetime, *, limit: int = BATCH) -> FamiliesPruned:
    """Of the `limit` families after `place` remove those that ended, fell idle or expired before `over_since`."""
    looked_at = (
        tx.execute(select(_F.family_id).where(_F.family_id > place).order_by(_F.family_id).limit(limit)).scalars().all()
    )
    if not looked_at:
        return FamiliesPruned(0, frozenset(), None)
    over = select(_F.family_id).where(
        _F.family_id > place,
        _F.family_id <= looked_at[-1],
        # A family that has ended may have been fresh; one that has not, falls idle before it expires.
        func.coalesce(_F.ended_at, _F.idle_expires_at) < over_since,
    )
    removed = delete(RefreshTokenFamily).where(_F.family_id.in_(pick_free(over))).returning(_F.sid)
    sids = tx.execute(removed).scalars().all()
    return FamiliesPruned(len(sids), frozenset(sids), looked_at[-1] if len(looked_at) == limit else None)


def prune_sessions(tx: Connection, sids: Collection[str], over_since: datetime, *, limit: int = BATCH) -> int:
    """Remove the sessions that ended or expired before `over_since` and hold no family any more; how many these were.

    Looked at are `sids`, which have just lost a family, and the `limit` that expired first.
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
    """Remove up to `limit` audit events that are older than `before`, the oldest first; how many these were."""
    old = select(_A.event_id).where(_A.at < before).order_by(_A.at).limit(limit)
    return tx.execute(delete(AuditEvent).where(_A.event_id.in_(pick_free(old)))).rowcount
