"""Statements on running servers and the master keys that each has loaded.

`rewrap` reads them before it seals everything under a new master key; nothing else depends on these rows.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from authserver.records.node import NodeReport
from authserver.storage.schema import Node

LIVE_WINDOW = timedelta(seconds=30)
"""A server that has not reported for this long counts as stopped."""

_KEPT = timedelta(days=1)
_N = Node.__table__.c


def report(tx: Connection, node: NodeReport, now: datetime) -> None:
    """Record what `node` has loaded."""
    values = {"master_keys": " ".join(node.master_keys), "seen_at": now}
    # Only the node itself writes its row, so no other process can insert it between these two statements.
    if not tx.execute(update(Node).where(_N.node_id == node.node_id).values(values)).rowcount:
        tx.execute(insert(Node), {"node_id": node.node_id, **values})


def prune(tx: Connection, now: datetime) -> None:
    """Remove nodes that stopped long ago: each start of a server process adds a row."""
    tx.execute(delete(Node).where(_N.seen_at < now - _KEPT))


def list_live(tx: Connection, now: datetime) -> Sequence[NodeReport]:
    """The nodes that reported within `LIVE_WINDOW`, by id."""
    rows = tx.execute(select(_N.node_id, _N.master_keys).where(_N.seen_at > now - LIVE_WINDOW).order_by(_N.node_id))
    return [NodeReport(row.node_id, tuple(row.master_keys.split())) for row in rows]
