"""Tables of what happened, and when: the revocation feed, the audit record, the newest trusted instant."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from authserver.storage.schema.base import Base


class FeedEntry(Base):
    """A revocation, for resource servers. `position` is the order of commits, without gaps."""

    __tablename__ = "feed_entries"
    __table_args__ = (Index("ix_feed_entries_kind_subject", "kind", "subject"),)

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


class FeedCounter(Base):
    """One row. Each revoking transaction raises it last before it commits, so that they commit in this order."""

    __tablename__ = "feed_counter"
    __table_args__ = (CheckConstraint("counter_id = 1", name="one_row"),)

    counter_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int]


class ClockMark(Base):
    """One row: the newest instant that a trusted clock read. A starting process compares its clock with it."""

    __tablename__ = "clock_mark"
    __table_args__ = (CheckConstraint("mark_id = 1", name="one_row"),)

    mark_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    vouched_at: Mapped[datetime | None]


class AuditEvent(Base):
    """An audit event: who did what, when, from where, with which outcome. Append-only; no secret, no token."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_user_id_at", "user_id", "at"),)

    event_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    name: Mapped[str]
    outcome: Mapped[str]
    actor: Mapped[str]
    user_id: Mapped[str | None]
    sid: Mapped[str | None]
    client_id: Mapped[str | None]
    ip: Mapped[str | None]
    detail: Mapped[str]
