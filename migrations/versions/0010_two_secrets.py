"""The former secret of a client, for as long as both are accepted. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("clients", sa.Column("former_secret_digest", sa.LargeBinary(), nullable=True))
    op.add_column("clients", sa.Column("former_secret_expires_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
