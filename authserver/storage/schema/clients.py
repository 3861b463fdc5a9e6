"""Tables of OAuth clients, of the tokens with which they register, and of what they proved themselves with."""

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, false, text
from sqlalchemy.orm import Mapped, mapped_column

from authserver.storage.schema.base import Base


class Client(Base):
    """A registered OAuth client. `family_version` rises when it is disabled, so that earlier families stay dead.

    `provenance` says which of the columns after it have a value (`records/provenance.py`).
    """

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
    dpop_bound_access_tokens: Mapped[bool] = mapped_column(server_default=false())
    backchannel_logout_uri: Mapped[str | None]
    backchannel_logout_session_required: Mapped[bool] = mapped_column(server_default=false())
    id_token_signed_response_alg: Mapped[str | None]
    id_token_claims: Mapped[bool] = mapped_column(server_default=false())
    claim_names: Mapped[str] = mapped_column(server_default=text("'{}'"))
    pkce: Mapped[str] = mapped_column(server_default=text("'required'"))
    require_pushed_authorization_requests: Mapped[bool] = mapped_column(server_default=false())
    client_credentials: Mapped[bool] = mapped_column(server_default=false())
    auth_method: Mapped[str | None]
    jwks: Mapped[str | None]
    jwks_uri: Mapped[str | None]
    provenance: Mapped[str] = mapped_column(server_default=text("'operator'"))
    management_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    scope_limit: Mapped[str | None]
    described_at: Mapped[datetime | None]


class RegistrationToken(Base):
    """An initial access token (RFC 7591 §1.2), by its digest: who has it may register `uses_left` more clients."""

    __tablename__ = "registration_tokens"
    __table_args__ = (CheckConstraint("uses_left >= 0", name="uses_left_is_a_number"),)

    token_id: Mapped[str] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scope: Mapped[str]
    audience: Mapped[str]
    uses_left: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class UsedAssertion(Base):
    """A used client assertion, by a digest of client and `jti`. It is kept for as long as it could be shown again."""

    __tablename__ = "used_assertions"

    assertion_digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
