"""The table of DPoP proofs that were used."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from authserver.storage.schema.base import Base


class UsedProof(Base):
    """A proof by its digest, for as long as it would be accepted again.

    Each request with a proof writes a row, so there is one index, and pruning reads the whole table: two minutes of
    requests. On PostgreSQL the table is UNLOGGED: a row is worth two minutes at most, and its commit waits for no disk.
    A crash or a fail-over empties it (docs/decisions/0049).
    """

    __tablename__ = "used_proofs"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy reads it

    proof_digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime]
