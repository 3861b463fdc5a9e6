"""Clients that register themselves or have a document, and the tokens for registering. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    # A node of the release before registers clients of operators only, and leaves the other columns empty.
    op.add_column("clients", sa.Column("provenance", sa.Text(), server_default=sa.text("'operator'"), nullable=False))
    op.add_column("clients", sa.Column("management_digest", sa.LargeBinary(), nullable=True))
    op.add_column("clients", sa.Column("scope_limit", sa.Text(), nullable=True))
    op.add_column("clients", sa.Column("described_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "registration_tokens",
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("uses_left", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("uses_left >= 0", name=op.f("ck_registration_tokens_uses_left_is_a_number")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_registration_tokens")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_registration_tokens_token_digest")),
    )
    op.create_index(op.f("ix_registration_tokens_expires_at"), "registration_tokens", ["expires_at"])


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
