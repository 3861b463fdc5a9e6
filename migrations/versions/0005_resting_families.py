"""A family rests after it has rotated. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # The default is for nodes of the release before, which insert and rotate without this column
    # (see `RefreshTokenFamily.rests_until`). It is constant, so no row is rewritten.
    op.add_column(
        "refresh_token_families", sa.Column("rests_until", sa.BigInteger(), server_default=sa.text("0"), nullable=True)
    )


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
