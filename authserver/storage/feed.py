"""Statements on the revocation feed.

Entries wait in the transaction that causes them and are written last before it commits (`last`), under one
counter row: transactions that revoke commit in the order of their positions. So a reader that has seen position 10 has
seen position 9, whatever was committed concurrently, and a rolled-back transaction leaves no gap.

Every node takes that row, so nobody may stand still with it. On PostgreSQL the statement that takes it and the COMMIT
that gives it back are one message: a process that is frozen has either not sent it or is not needed any more.
"""

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, or_, select, update

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
KEY_WINDOW = timedelta(days=30)
"""For how long a compromised key is named: caches of keys live longer than tokens do."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry. A reader names it as its cursor, so that a database that lost its tail is found out."""

    position: int
    entry_id: str


EMPTY = Head(0, "")


def append(tx: Connection, entry: Entry, entry_id: str) -> None:
    """Have `entry` written when this transaction commits. Its `rev`, if it has one, is given to it then."""
    last.queue(tx, _write, (entry, entry_id))


def _write(tx: Connection, waiting: list[tuple[Entry, str]]) -> None:
    """Write what waits: the last statements before the commit, on PostgreSQL with it."""
    if tx.dialect.name == "postgresql":
        _write_and_commit(tx, waiting)
        return
    raised = update(FeedCounter).values(position=_N.position + len(waiting)).returning(_N.position)
    first = tx.execute(raised).scalar_one() - len(waiting) + 1
    rows = [_encode(position, *entry) for position, entry in enumerate(waiting, start=first)]
    tx.execute(insert(FeedEntry), rows)


def find_head(tx: Connection) -> Head:
    """The newest entry; `EMPTY` when there is none."""
    row = tx.execute(select(_E.position, _E.entry_id).order_by(_E.position.desc()).limit(1)).one_or_none()
    return EMPTY if row is None else Head(row.position, row.entry_id)


def holds(tx: Connection, head: Head) -> bool:
    """Whether `head` is an entry of this feed (still)."""
    entry_id = tx.execute(select(_E.entry_id).where(_E.position == head.position)).scalar_one_or_none()
    return bool(entry_id == head.entry_id)


def list_since(tx: Connection, head: Head, up_to: Head, *, limit: int) -> list[str] | None:
    """The entries after `head`, which the feed holds, up to and with `up_to`, as JSON; None for more than `limit`."""
    after = _E.position > head.position, _E.position <= up_to.position
    bodies = tx.execute(select(_E.body).where(*after).order_by(_E.position).limit(limit + 1)).scalars().all()
    return list(bodies) if len(bodies) <= limit else None


def list_window(tx: Connection, now: datetime, window: timedelta, up_to: Head) -> list[str]:
    """All that still matters, the newest entry of each subject, oldest first, as JSON."""
    rows = tx.execute(
        _ENTRY.where(_E.position <= up_to.position, _still_matters(now, window)).order_by(_E.position)
    ).all()
    newest = {(row.kind, row.subject): row for row in rows}
    return [row.body for row in sorted(newest.values(), key=lambda row: row.position)]


def is_token_revoked(tx: Connection, jti: str) -> bool:
    """Whether the one token `jti` was revoked within the window."""
    return tx.execute(select(is_revoked(jti))).scalar_one()


def is_revoked(jti: str | ColumnElement[str]) -> ColumnElement[bool]:
    """The same, for a statement that asks other things, too."""
    return select(_E.position).where(_E.kind == TokenEntry.KIND, _E.subject == jti).exists()


def prune(tx: Connection, now: datetime, window: timedelta, *, limit: int) -> int:
    """Remove up to `limit` entries that matter to nobody; how many. The newest one stays, for cursors to name."""
    newest = select(func.max(_E.position)).scalar_subquery()
    over = select(_E.position).where(~_still_matters(now, window), _E.position < newest).limit(limit)
    return tx.execute(delete(FeedEntry).where(_E.position.in_(over))).rowcount


_WRITE = """
WITH raised AS (UPDATE feed_counter SET position = position + {} RETURNING position - {} AS before)
INSERT INTO feed_entries (position, entry_id, kind, subject, body, at)
SELECT before + ordinal, entry_id, kind, subject, replace(body, '"rev":0', '"rev":' || before + ordinal), at
FROM raised, json_to_recordset({})
    AS waiting(ordinal bigint, entry_id text, kind text, subject text, body text, at bigint)"""
"""How many there are, twice, and they themselves. No string in a body can hold `"rev":0`: JSON escapes the marks."""


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
        # A lock holds as long as it lasts, and its entry with it.
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
