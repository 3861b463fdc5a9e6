"""What popular clients need: the algorithm and content of ID tokens, PKCE by choice, names of users. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("clients", sa.Column("id_token_signed_response_alg", sa.Text(), nullable=True))
    op.add_column("clients", sa.Column("id_token_claims", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("clients", sa.Column("claim_names", sa.Text(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("clients", sa.Column("pkce", sa.Text(), server_default=sa.text("'required'"), nullable=False))
    for name in ("given_name", "family_name"):
        op.add_column("users", sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column(
        "authorization_codes", sa.Column("id_token_claims", sa.Text(), server_default=sa.text("''"), nullable=False)
    )


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
