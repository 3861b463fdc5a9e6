"""What a consent shows of a client: logo, addresses, words for scopes. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    for name in ("logo_uri", "client_uri", "policy_uri", "tos_uri"):
        op.add_column("clients", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("clients", sa.Column("scope_texts", sa.Text(), server_default=sa.text("'{}'"), nullable=False))


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
