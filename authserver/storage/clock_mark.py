"""Statements on the database's clock, and on the newest instant that a trusted clock read."""

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select, text, update

from authserver.storage.schema import AuditEvent, ClockMark

_A = AuditEvent.__table__.c
_M = ClockMark.__table__.c


def read_database_clock(tx: Connection) -> datetime | None:
    """Read the database's clock; None for SQLite, which uses this machine's clock."""
    if tx.dialect.name != "postgresql":
        return None
    now: datetime = tx.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now.astimezone(UTC)


def find_vouched(tx: Connection) -> datetime | None:
    """The newest instant that a trusted clock read. If none is stored, the instant of the newest audit event."""
    vouched: datetime | None = tx.execute(select(_M.vouched_at)).scalar_one()
    if vouched is not None:
        return vouched
    newest: datetime | None = tx.execute(select(func.max(_A.at))).scalar_one()
    return newest


def vouch(tx: Connection, now: datetime) -> None:
    """Record that a trusted clock reads `now`, replacing the earlier value."""
    tx.execute(update(ClockMark).values(vouched_at=now))
