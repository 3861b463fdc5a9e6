"""Statements on the revocation feed.

Entries wait in the transaction that causes them. They are written last before it commits (see `last`), under a lock on
one counter row, so transactions that revoke commit in the order of their positions. A reader that has seen position 10
has therefore seen position 9, and a rolled-back transaction leaves no gap.

Every node locks that row, so no process may hang while it holds it. On PostgreSQL, the statement that locks it and the
COMMIT that releases it are one message: a frozen process has either not sent the message, or is no longer needed.
"""

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, or_, select, update

from authserver.protocol.limits import KEY_WINDOW
from authserver.protocol.revocation_feed import (
    ClientEntry,
    Entry,
    KeyEntry,
    TokenEntry,
    UserEntry,
    name_subject,
    write_entry,
)
from authserver.storage import last
from authserver.storage.instants import from_micros, to_micros
from authserver.storage.schema import FeedCounter, FeedEntry, User

_E = FeedEntry.__table__.c
_N = FeedCounter.__table__.c
_U = User.__table__.c


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry. Readers send it as their cursor, which reveals a database that has lost its newest entries."""

    position: int
    entry_id: str


EMPTY = Head(0, "")


def append(tx: Connection, entry: Entry, entry_id: str) -> None:
    """Schedule `entry` to be written when this transaction commits. Its `rev`, if any, is assigned then."""
    last.queue(tx, _write, (entry, entry_id))


def _write(tx: Connection, waiting: list[tuple[Entry, str]]) -> None:
    """Write the waiting entries: the last statements before the commit, on PostgreSQL together with it."""
    if tx.dialect.name == "postgresql":
        _write_and_commit(tx, waiting)
        return
    raised = update(FeedCounter).values(position=_N.position + len(waiting)).returning(_N.position)
    first = tx.execute(raised).scalar_one() - len(waiting) + 1
    rows = [_encode(position, *entry) for position, entry in enumerate(waiting, start=first)]
    tx.execute(insert(FeedEntry), rows)


def find_head(tx: Connection) -> Head:
    """The newest entry; `EMPTY` if there is none."""
    row = tx.execute(select(_E.position, _E.entry_id).order_by(_E.position.desc()).limit(1)).one_or_none()
    return EMPTY if row is None else Head(row.position, row.entry_id)


def holds(tx: Connection, head: Head) -> bool:
    """Whether `head` is still an entry of this feed."""
    entry_id = tx.execute(select(_E.entry_id).where(_E.position == head.position)).scalar_one_or_none()
    return bool(entry_id == head.entry_id)


def list_since(tx: Connection, head: Head, up_to: Head, *, limit: int) -> list[str] | None:
    """The entries after `head` (in the feed) up to and including `up_to`, as JSON; None if more than `limit`."""
    after = _E.position > head.position, _E.position <= up_to.position
    bodies = tx.execute(select(_E.body).where(*after).order_by(_E.position).limit(limit + 1)).scalars().all()
    return list(bodies) if len(bodies) <= limit else None


def list_window(tx: Connection, now: datetime, window: timedelta, up_to: Head) -> list[str]:
    """The entries that still matter, only the newest of each subject, oldest first, as JSON."""
    rows = tx.execute(
        _ENTRY.where(_E.position <= up_to.position, _still_matters(now, window)).order_by(_E.position)
    ).all()
    newest = {(row.kind, row.subject): row for row in rows}
    return [row.body for row in sorted(newest.values(), key=lambda row: row.position)]


def is_token_revoked(tx: Connection, jti: str) -> bool:
    """Whether the token `jti` was revoked within the window."""
    return tx.execute(select(is_revoked(jti))).scalar_one()


def is_revoked(jti: str | ColumnElement[str]) -> ColumnElement[bool]:
    """SQL: the token `jti` was revoked within the window; for use in a larger statement."""
    return select(_E.position).where(_E.kind == TokenEntry.KIND, _E.subject == jti).exists()


def prune(tx: Connection, now: datetime, window: timedelta, *, limit: int) -> int:
    """Remove up to `limit` entries that no longer matter; return how many. The newest stays, for cursors to name."""
    newest = select(func.max(_E.position)).scalar_subquery()
    over = select(_E.position).where(~_still_matters(now, window), _E.position < newest).limit(limit)
    return tx.execute(delete(FeedEntry).where(_E.position.in_(over))).rowcount


_WRITE = """
WITH raised AS (UPDATE feed_counter SET position = position + {} RETURNING position - {} AS before)
INSERT INTO feed_entries (position, entry_id, kind, subject, body, at)
SELECT before + ordinal, entry_id, kind, subject, replace(body, '"rev":0', '"rev":' || before + ordinal), at
FROM raised, json_to_recordset({})
    AS waiting(ordinal bigint, entry_id text, kind text, subject text, body text, at bigint)"""
"""Parameters: the number of entries, twice, then the entries. `"rev":0` occurs in no string: JSON escapes quotes."""


def _write_and_commit(tx: Connection, waiting: list[tuple[Entry, str]]) -> None:
    from authserver.storage import postgres  # not every installation has the driver

    rows = [_encode(0, *entry) | {"ordinal": ordinal} for ordinal, entry in enumerate(waiting, start=1)]
    text = json.dumps([row | {"at": to_micros(row["at"])} for row in rows])
    driver: Any = tx.connection.driver_connection
    postgres.write_and_commit(driver, _WRITE, (len(rows), len(rows), text))


_ENTRY: Select[Any] = select(_E.position, _E.kind, _E.subject, _E.body)


def _still_matters(now: datetime, window: timedelta) -> Any:  # noqa: ANN401 - a condition of SQLAlchemy
    locked = select(_U.user_id).where(_U.user_id == _E.subject, _U.locked_at.is_not(None)).correlate(FeedEntry)
    return or_(
        _E.at > now - window,
        (_E.kind == KeyEntry.KIND) & (_E.at > now - KEY_WINDOW),
        # The entry of a lock matters as long as the lock is in force.
        (_E.kind == UserEntry.KIND) & locked.exists(),
    )


def _encode(position: int, entry: Entry, entry_id: str) -> dict[str, Any]:
    if isinstance(entry, UserEntry | ClientEntry):
        entry = dataclasses.replace(entry, rev=position)
    return {
        "position": position,
        "entry_id": entry_id,
        "kind": entry.KIND,
        "subject": name_subject(entry),
        "body": json.dumps(write_entry(entry), separators=(",", ":")),
        "at": from_micros(entry.at * 1_000_000),
    }
