"""DPoP: keys to which families and codes are bound, clients that demand proofs, proofs that were used. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column(
        "clients", sa.Column("dpop_bound_access_tokens", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("refresh_token_families", sa.Column("jkt", sa.Text(), nullable=True))
    op.add_column("refresh_token_families", sa.Column("bound_generation", sa.BigInteger(), nullable=True))
    op.add_column("authorization_codes", sa.Column("dpop_jkt", sa.Text(), nullable=True))
    op.create_table(
        "used_proofs",
        sa.Column("proof_digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("proof_digest", name=op.f("pk_used_proofs")),
        prefixes=["UNLOGGED"] if op.get_context().dialect.name == "postgresql" else [],
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
