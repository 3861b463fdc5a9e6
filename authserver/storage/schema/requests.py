"""Requests that wait: for a browser to open them, or for a person to allow them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from authserver.storage.schema.base import Base


class PushedRequest(Base):
    """An authorization request that a client pushed, by the digest of its `request_uri`."""

    __tablename__ = "pushed_requests"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"), index=True)
    text: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    request_id: Mapped[str | None]


class DeviceAuthorization(Base):
    """What a device asked for. The device code is stored as a digest, the user code as a tag made with a MAC key.

    A credential event of the user who claimed it ends it.
    """

    __tablename__ = "device_authorizations"
    __table_args__ = (
        CheckConstraint(
            "(auth_time IS NULL) = (amr IS NULL) AND (auth_time IS NULL) = (acr IS NULL)", name="approval_is_complete"
        ),
        CheckConstraint(
            "claimed_by IS NOT NULL OR (auth_time IS NULL AND denied_at IS NULL)", name="decided_by_who_claimed"
        ),
        CheckConstraint("auth_time IS NULL OR denied_at IS NULL", name="decided_once"),
        CheckConstraint("used_at IS NULL OR auth_time IS NOT NULL", name="used_when_approved"),
    )

    code_digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_code_tag: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"), index=True)
    client_family_version: Mapped[int]
    scope: Mapped[str]
    audience: Mapped[str]
    ip: Mapped[str]
    user_agent: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    interval_seconds: Mapped[int]
    polled_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    request_id: Mapped[str | None] = mapped_column(unique=True)
    auth_time: Mapped[datetime | None]
    amr: Mapped[str | None]
    acr: Mapped[str | None]
    denied_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
