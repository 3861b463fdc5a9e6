"""Tables of what has to be handed over to somebody outside."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from authserver.storage.schema.base import Base


class QueuedDelivery(Base):
    """A delivery to be made. The row is removed when it was made or given up."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_rank_due_at", "rank", "due_at"),
        Index("ix_deliveries_target_queued_at", "target", "queued_at"),
    )

    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    target: Mapped[str]
    payload: Mapped[str]
    rank: Mapped[int]
    queued_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    attempts: Mapped[int]


class OutboxMail(Base):
    """A mail or a request for a mail that release 0.1 queued; see `authserver/storage/earlier_outbox.py`."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_rank_due_at", "rank", "due_at"),)

    mail_id: Mapped[str] = mapped_column(primary_key=True)
    template: Mapped[str]
    rank: Mapped[int] = mapped_column(server_default=text("0"))
    address: Mapped[str] = mapped_column(index=True)
    link_id: Mapped[bytes | None] = mapped_column(LargeBinary)
    parameters: Mapped[str]
    queued_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    attempts: Mapped[int]
