"""Authorization codes, consents, sessions of browsers, and what clients may be told to do. Forward-only."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for name in ("phone_number", "address"):
        op.add_column("users", sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("users", sa.Column("profile_changed_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "clients", sa.Column("post_logout_redirect_uris", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    op.add_column("clients", sa.Column("offline_access", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("clients", sa.Column("consent", sa.Text(), server_default=sa.text("'remember'"), nullable=False))
    for name in ("access_token_lifetime", "refresh_idle_lifetime", "refresh_absolute_lifetime"):
        op.add_column("clients", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("clients", sa.Column("pairwise_salt", sa.LargeBinary(), nullable=True))
    with op.batch_alter_table("sessions") as sessions:
        sessions.alter_column("client_id", existing_type=sa.Text(), nullable=True)
        sessions.add_column(sa.Column("browser_digest", sa.LargeBinary(), nullable=True))
        sessions.add_column(sa.Column("browser_used_at", sa.BigInteger(), nullable=True))
        sessions.add_column(sa.Column("browser_idle_expires_at", sa.BigInteger(), nullable=True))
        sessions.create_unique_constraint(op.f("uq_sessions_browser_digest"), ["browser_digest"])
    _create_codes()
    op.create_table(
        "consents",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.user_id"], name=op.f("fk_consents_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name=op.f("fk_consents_client_id_clients"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "client_id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_client_id"), "consents", ["client_id"])


def _create_codes() -> None:
    table = "authorization_codes"
    op.create_table(
        table,
        sa.Column("code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_family_version", sa.BigInteger(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("code_challenge", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=True),
        sa.Column("auth_time", sa.BigInteger(), nullable=False),
        sa.Column("amr", sa.Text(), nullable=False),
        sa.Column("acr", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("fam", sa.Text(), nullable=True),
        sa.CheckConstraint("(used_at IS NULL) = (fam IS NULL)", name=op.f("ck_authorization_codes_use_is_complete")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.user_id"], name=op.f("fk_authorization_codes_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sid"], ["sessions.sid"], name=op.f("fk_authorization_codes_sid_sessions"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.client_id"],
            name=op.f("fk_authorization_codes_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("code_digest", name=op.f("pk_authorization_codes")),
    )
    for column in ("user_id", "sid", "client_id", "expires_at"):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; to go back, restore a backup")
