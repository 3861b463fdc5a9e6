"""The revocation feed and its counter. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "feed_entries",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_feed_entries")),
    )
    op.create_index("ix_feed_entries_kind_subject", "feed_entries", ["kind", "subject"])
    op.create_index(op.f("ix_feed_entries_at"), "feed_entries", ["at"])
    counter = op.create_table(
        "feed_counter",
        sa.Column("counter_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("counter_id = 1", name=op.f("ck_feed_counter_one_row")),
        sa.PrimaryKeyConstraint("counter_id", name=op.f("pk_feed_counter")),
    )
    op.bulk_insert(counter, [{"counter_id": 1, "position": 0}])


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
