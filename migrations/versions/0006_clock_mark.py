"""The newest instant that a trusted clock read. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    mark = op.create_table(
        "clock_mark",
        sa.Column("mark_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vouched_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("mark_id = 1", name=op.f("ck_clock_mark_one_row")),
        sa.PrimaryKeyConstraint("mark_id", name=op.f("pk_clock_mark")),
    )
    op.bulk_insert(mark, [{"mark_id": 1, "vouched_at": None}])


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
