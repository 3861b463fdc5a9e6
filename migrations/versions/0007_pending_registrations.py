"""Registrations that wait for their link. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    table = "pending_registrations"
    op.create_table(
        table,
        sa.Column("link_id", sa.LargeBinary(), nullable=False),
        sa.Column("registration_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("kept_until", sa.BigInteger(), nullable=False),
        sa.Column("mac_kid", sa.Text(), nullable=True),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_pending_registrations")),
    )
    op.create_index("ix_pending_registrations_address_issued_at", table, ["address", "issued_at"])
    op.create_index(op.f("ix_pending_registrations_kept_until"), table, ["kept_until"])


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
