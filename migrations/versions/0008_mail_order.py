"""Which mails go first, and finding those of one address. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # What is queued by now, or by a server of the release before, goes first: nobody knows better.
    op.add_column("outbox", sa.Column("rank", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_index("ix_outbox_rank_due_at", "outbox", ["rank", "due_at"])
    op.create_index(op.f("ix_outbox_address"), "outbox", ["address"])


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
