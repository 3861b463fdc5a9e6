"""Tables of what was granted: sessions, what clients know of them, refresh-token families, authorization codes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from authserver.storage.schema.base import Base


class Session(Base):
    """One sign-in of one user on one device. It ends only once, for good.

    A session that began at a page has a cookie, whose digest is stored, and no client until one asks for a code.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_is_complete"),
        Index(
            "uq_sessions_live_device",
            "user_id",
            "device_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
    )

    sid: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    device_id: Mapped[str]
    device_name: Mapped[str]
    client_id: Mapped[str | None] = mapped_column(ForeignKey("clients.client_id"))
    ip: Mapped[str]
    user_agent: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    auth_time: Mapped[datetime]
    amr: Mapped[str]
    acr: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    soft_logout: Mapped[bool] = mapped_column(server_default=false())
    browser_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    browser_used_at: Mapped[datetime | None]
    browser_idle_expires_at: Mapped[datetime | None]


class ClientSession(Base):
    """A client that got tokens in a session, by the `sid` that it saw. Who is in this table hears of the session's end.

    `sid` is the session in which the user goes on: after a renewal, another one than `seen_sid`. Rows outlast families,
    which may go much earlier, and are removed when their session ends.
    """

    __tablename__ = "client_sessions"

    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True)
    seen_sid: Mapped[str] = mapped_column(primary_key=True)
    sid: Mapped[str] = mapped_column(ForeignKey("sessions.sid", ondelete="CASCADE"), index=True)


class RefreshTokenFamily(Base):
    """All refresh tokens of one authorization of one client in one session, in one row.

    The columns that rotation changes are never indexed, and pages keep free space, so that PostgreSQL updates in place
    (HOT). User, scope, audience, device and authentication are set when the family is created and copied here, so that
    the hot statement changes only this row, and reads one row of the user and one of the client.

    Each rotation and each late retry writes `rests_until`. It is NULL in a new family, and where there is no retry
    window. A node of the release before 0005 does not know the column: its inserts have 0, and its rotations leave a
    value that is older than the rotation.

    `jkt` is the key (RFC 7638) to which the family is bound, and `bound_generation` the first generation that was
    handed out under it. Both are NULL in a family that is not bound.
    """

    __tablename__ = "refresh_token_families"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_is_complete"),
        CheckConstraint("(late_retry_at IS NULL) = (late_retry_generation IS NULL)", name="late_retry_is_complete"),
        UniqueConstraint("fam"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    family_id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    fam: Mapped[str]
    sid: Mapped[str] = mapped_column(ForeignKey("sessions.sid", ondelete="CASCADE"), index=True)
    user_id: Mapped[str]
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id"), index=True)
    client_family_version: Mapped[int]
    device_id: Mapped[str]
    scope: Mapped[str]
    audience: Mapped[str]
    auth_time: Mapped[datetime]
    amr: Mapped[str]
    acr: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    generation: Mapped[int]
    mac_kid: Mapped[str]
    rotated_at: Mapped[datetime]
    idle_expires_at: Mapped[datetime]
    late_retry_generation: Mapped[int | None]
    late_retry_at: Mapped[datetime | None]
    rests_until: Mapped[datetime | None] = mapped_column(server_default=text("0"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    soft_logout: Mapped[bool] = mapped_column(server_default=false())
    jkt: Mapped[str | None]
    bound_generation: Mapped[int | None]


class AuthorizationCode(Base):
    """A code that was given to a client, by its digest. It stays after its use, so that a second use is detected.

    A credential event that ends a session deletes the unused codes of that session.
    """

    __tablename__ = "authorization_codes"
    __table_args__ = (CheckConstraint("(used_at IS NULL) = (fam IS NULL)", name="use_is_complete"),)

    code_digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    request_id: Mapped[str | None] = mapped_column(unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    sid: Mapped[str] = mapped_column(ForeignKey("sessions.sid", ondelete="CASCADE"), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"), index=True)
    client_family_version: Mapped[int]
    redirect_uri: Mapped[str]
    code_challenge: Mapped[str]
    scope: Mapped[str]
    audience: Mapped[str]
    nonce: Mapped[str | None]
    auth_time: Mapped[datetime]
    amr: Mapped[str]
    acr: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    fam: Mapped[str | None]
    id_token_claims: Mapped[str] = mapped_column(server_default=text("''"))
    dpop_jkt: Mapped[str | None]
