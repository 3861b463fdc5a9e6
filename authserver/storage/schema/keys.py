"""Tables of keys, and of the nodes that have loaded them."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from authserver.storage.schema.base import Base


class Key(Base):
    """A signing or MAC key: the public part in clear, the private part sealed under the master key."""

    __tablename__ = "keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    algorithm: Mapped[str]
    state: Mapped[str]
    public_jwk: Mapped[str | None]
    sealed: Mapped[str | None]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    activated_at: Mapped[datetime | None]
    retiring_at: Mapped[datetime | None]
    retires_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
    compromised_at: Mapped[datetime | None]


class Node(Base):
    """A running server process: the master keys that it has loaded, and when it last reported."""

    __tablename__ = "nodes"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    master_keys: Mapped[str]
    seen_at: Mapped[datetime]
