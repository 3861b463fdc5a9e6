"""Back-channel logout: where clients hear of it, and which of them know of a session. Forward-only.

Clients that got tokens before the upgrade are taken over from the families of sessions that have not ended.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_KNOWN = """
INSERT INTO client_sessions (client_id, seen_sid, sid)
SELECT DISTINCT families.client_id, families.sid, families.sid
FROM refresh_token_families AS families JOIN sessions ON sessions.sid = families.sid
WHERE families.ended_at IS NULL AND sessions.ended_at IS NULL
"""


def upgrade() -> None:
    op.add_column("clients", sa.Column("backchannel_logout_uri", sa.Text(), nullable=True))
    op.add_column(
        "clients",
        sa.Column("backchannel_logout_session_required", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "client_sessions",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("seen_sid", sa.Text(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.client_id"],
            name=op.f("fk_client_sessions_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["sid"], ["sessions.sid"], name=op.f("fk_client_sessions_sid_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client_id", "seen_sid", name=op.f("pk_client_sessions")),
    )
    op.create_index(op.f("ix_client_sessions_sid"), "client_sessions", ["sid"])
    op.execute(_KNOWN)
    op.create_index("ix_deliveries_target_queued_at", "deliveries", ["target", "queued_at"])
    op.drop_index(op.f("ix_deliveries_target"), "deliveries")


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
