"""Which request a code answers. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("authorization_codes") as codes:
        codes.add_column(sa.Column("request_id", sa.Text(), nullable=True))
        codes.create_unique_constraint(op.f("uq_authorization_codes_request_id"), ["request_id"])


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
