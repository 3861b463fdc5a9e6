"""Statements on time itself: the database's clock, and the newest instant that a trusted clock read."""

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select, text, update

from authserver.storage.schema import AuditEvent, ClockMark

_A = AuditEvent.__table__.c
_M = ClockMark.__table__.c


def read_database_clock(tx: Connection) -> datetime | None:
    """What the database's clock says; None for SQLite, whose clock is this machine's."""
    if tx.dialect.name != "postgresql":
        return None
    now: datetime = tx.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now.astimezone(UTC)


def find_vouched(tx: Connection) -> datetime | None:
    """The newest instant that a trusted clock read. Before the first: when the newest audit event was written."""
    vouched: datetime | None = tx.execute(select(_M.vouched_at)).scalar_one()
    if vouched is not None:
        return vouched
    newest: datetime | None = tx.execute(select(func.max(_A.at))).scalar_one()
    return newest


def vouch(tx: Connection, now: datetime) -> None:
    """Write down that a trusted clock says `now`, whatever was written before."""
    tx.execute(update(ClockMark).values(vouched_at=now))
