"""Tables of people: users, their consents, links in mails to them, registrations that wait for a mail."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from authserver.storage.schema.base import Base


class User(Base):
    """A user. Raising `token_version` invalidates access tokens; raising `credential_version`, sign-ins in progress."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("token_version >= 1", name="token_version_positive"),)

    user_id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    email_verified: Mapped[bool]
    name: Mapped[str]
    password_hash: Mapped[str | None]
    password_changed_at: Mapped[datetime | None]
    roles: Mapped[str]
    token_version: Mapped[int]
    credential_version: Mapped[int]
    created_at: Mapped[datetime]
    locked_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    phone_number: Mapped[str] = mapped_column(server_default=text("''"))
    address: Mapped[str] = mapped_column(server_default=text("''"))
    profile_changed_at: Mapped[datetime | None]
    given_name: Mapped[str] = mapped_column(server_default=text("''"))
    family_name: Mapped[str] = mapped_column(server_default=text("''"))


class Consent(Base):
    """A user's consent to a client, remembered until the user withdraws it."""

    __tablename__ = "consents"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    scope: Mapped[str]
    audience: Mapped[str]
    granted_at: Mapped[datetime]


class MailLink(Base):
    """A mailed link. Its token is derived from this row's id and a MAC key, and is never stored."""

    __tablename__ = "mail_links"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_is_complete"),
        Index("ix_mail_links_address_purpose", "address", "purpose"),
    )

    link_id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    purpose: Mapped[str]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    address: Mapped[str]
    sid: Mapped[str | None]
    mac_kid: Mapped[str | None]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class PendingRegistration(Base):
    """A pending registration and one of its links. Each mail about it adds a row.

    It belongs to no user: no row of `users` exists before a link is used, and then all rows of the address are removed.
    """

    __tablename__ = "pending_registrations"
    __table_args__ = (Index("ix_pending_registrations_address_issued_at", "address", "issued_at"),)

    link_id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    registration_id: Mapped[str]
    address: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    asked_at: Mapped[datetime]
    kept_until: Mapped[datetime] = mapped_column(index=True)
    mac_kid: Mapped[str | None]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
