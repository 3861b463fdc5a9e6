"""The tables, used by the statements of this room, the migrations and the Flask-SQLAlchemy binding.

No secret is stored in usable form: passwords are hashes, client secrets are digests, private keys are sealed, and
refresh tokens are not stored. Lists of words (scopes, audiences, roles) are space-separated text, in the order given.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from authserver.storage.instants import Instant


class Base(DeclarativeBase):
    """The declarative base. Constraint names are fixed, so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Text, int: BigInteger, datetime: Instant}  # noqa: RUF012 - SQLAlchemy reads it


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


class Client(Base):
    """A registered OAuth client. `family_version` rises when it is disabled, so that earlier families stay dead."""

    __tablename__ = "clients"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    secret_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    first_party: Mapped[bool]
    scope: Mapped[str]
    audience: Mapped[str]
    redirect_uris: Mapped[str]
    origins: Mapped[str]
    retry_window: Mapped[int | None]
    late_retry_window: Mapped[int | None]
    family_version: Mapped[int]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    post_logout_redirect_uris: Mapped[str] = mapped_column(server_default=text("''"))
    offline_access: Mapped[bool] = mapped_column(server_default=false())
    consent: Mapped[str] = mapped_column(server_default=text("'remember'"))
    access_token_lifetime: Mapped[int | None]
    refresh_idle_lifetime: Mapped[int | None]
    refresh_absolute_lifetime: Mapped[int | None]
    pairwise_salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_secret_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_secret_expires_at: Mapped[datetime | None]
    logo_uri: Mapped[str | None]
    client_uri: Mapped[str | None]
    policy_uri: Mapped[str | None]
    tos_uri: Mapped[str | None]
    scope_texts: Mapped[str] = mapped_column(server_default=text("'{}'"))


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


class RefreshTokenFamily(Base):
    """All refresh tokens of one authorization of one client in one session, in one row.

    The columns that rotation changes are never indexed, and pages keep free space, so that PostgreSQL updates in place
    (HOT). User, scope, audience, device and authentication are set when the family is created and copied here, so that
    the hot statement changes only this row, and reads one row of the user and one of the client.

    Each rotation and each late retry writes `rests_until`. It is NULL in a new family, and where there is no retry
    window. A node of the release before 0005 does not know the column: its inserts have 0, and its rotations leave a
    value that is older than the rotation.
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


class Key(Base):
    """A signing or MAC key: the public part in clear, the private part sealed under the master key."""

    __tablename__ = "keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    algorithm: Mapped[str]
    state: Mapped[str]
    public_jwk: Mapped[str | None]
    sealed: Mapped[str | None]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    activated_at: Mapped[datetime | None]
    retiring_at: Mapped[datetime | None]
    retires_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
    compromised_at: Mapped[datetime | None]


class Node(Base):
    """A running server process: the master keys that it has loaded, and when it last reported."""

    __tablename__ = "nodes"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    master_keys: Mapped[str]
    seen_at: Mapped[datetime]


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


class QueuedDelivery(Base):
    """A delivery to be made. The row is removed when it was made or given up."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_rank_due_at", "rank", "due_at"),)

    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    target: Mapped[str] = mapped_column(index=True)
    payload: Mapped[str]
    rank: Mapped[int]
    queued_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    attempts: Mapped[int]


class OutboxMail(Base):
    """A mail or a wish that release 0.1 queued; see `authserver/storage/earlier_outbox.py`."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_rank_due_at", "rank", "due_at"),)

    mail_id: Mapped[str] = mapped_column(primary_key=True)
    template: Mapped[str]
    rank: Mapped[int] = mapped_column(server_default=text("0"))
    address: Mapped[str] = mapped_column(index=True)
    link_id: Mapped[bytes | None] = mapped_column(LargeBinary)
    parameters: Mapped[str]
    queued_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    attempts: Mapped[int]


class FeedEntry(Base):
    """A revocation, for resource servers. `position` is the order of commits, without gaps."""

    __tablename__ = "feed_entries"
    __table_args__ = (Index("ix_feed_entries_kind_subject", "kind", "subject"),)

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


class FeedCounter(Base):
    """One row. Each revoking transaction raises it last before it commits, so that they commit in this order."""

    __tablename__ = "feed_counter"
    __table_args__ = (CheckConstraint("counter_id = 1", name="one_row"),)

    counter_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int]


class ClockMark(Base):
    """One row: the newest instant that a trusted clock read. A starting process compares its clock with it."""

    __tablename__ = "clock_mark"
    __table_args__ = (CheckConstraint("mark_id = 1", name="one_row"),)

    mark_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    vouched_at: Mapped[datetime | None]


class AuditEvent(Base):
    """An audit event: who did what, when, from where, with which outcome. Append-only; no secret, no token."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_user_id_at", "user_id", "at"),)

    event_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    name: Mapped[str]
    outcome: Mapped[str]
    actor: Mapped[str]
    user_id: Mapped[str | None]
    sid: Mapped[str | None]
    client_id: Mapped[str | None]
    ip: Mapped[str | None]
    detail: Mapped[str]
