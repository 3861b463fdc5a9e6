"""Pushed authorization requests and device authorizations; clients that have to push. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column(
        "clients",
        sa.Column("require_pushed_authorization_requests", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "pushed_requests",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.client_id"],
            name=op.f("fk_pushed_requests_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_pushed_requests")),
    )
    op.create_index(op.f("ix_pushed_requests_client_id"), "pushed_requests", ["client_id"])
    op.create_index(op.f("ix_pushed_requests_expires_at"), "pushed_requests", ["expires_at"])
    op.create_table(
        "device_authorizations",
        sa.Column("code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_code_tag", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_family_version", sa.BigInteger(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("interval_seconds", sa.BigInteger(), nullable=False),
        sa.Column("polled_at", sa.BigInteger(), nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("auth_time", sa.BigInteger(), nullable=True),
        sa.Column("amr", sa.Text(), nullable=True),
        sa.Column("acr", sa.Text(), nullable=True),
        sa.Column("denied_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(auth_time IS NULL) = (amr IS NULL) AND (auth_time IS NULL) = (acr IS NULL)",
            name=op.f("ck_device_authorizations_approval_is_complete"),
        ),
        sa.CheckConstraint(
            "claimed_by IS NOT NULL OR (auth_time IS NULL AND denied_at IS NULL)",
            name=op.f("ck_device_authorizations_decided_by_who_claimed"),
        ),
        sa.CheckConstraint(
            "auth_time IS NULL OR denied_at IS NULL", name=op.f("ck_device_authorizations_decided_once")
        ),
        sa.CheckConstraint(
            "used_at IS NULL OR auth_time IS NOT NULL", name=op.f("ck_device_authorizations_used_when_approved")
        ),
        sa.ForeignKeyConstraint(
            ["claimed_by"],
            ["users.user_id"],
            name=op.f("fk_device_authorizations_claimed_by_users"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.client_id"],
            name=op.f("fk_device_authorizations_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("code_digest", name=op.f("pk_device_authorizations")),
        sa.UniqueConstraint("request_id", name=op.f("uq_device_authorizations_request_id")),
        sa.UniqueConstraint("user_code_tag", name=op.f("uq_device_authorizations_user_code_tag")),
    )
    op.create_index(op.f("ix_device_authorizations_client_id"), "device_authorizations", ["client_id"])
    op.create_index(op.f("ix_device_authorizations_expires_at"), "device_authorizations", ["expires_at"])
    op.create_index(op.f("ix_device_authorizations_claimed_by"), "device_authorizations", ["claimed_by"])


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
