"""How clients authenticate, their keys, and the assertions that they have used. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("clients", sa.Column("client_credentials", sa.Boolean(), server_default=sa.false(), nullable=False))
    for name in ("auth_method", "jwks", "jwks_uri"):
        op.add_column("clients", sa.Column(name, sa.Text(), nullable=True))
    op.create_table(
        "used_assertions",
        sa.Column("assertion_digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("assertion_digest", name=op.f("pk_used_assertions")),
    )
    op.create_index(op.f("ix_used_assertions_expires_at"), "used_assertions", ["expires_at"])


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
