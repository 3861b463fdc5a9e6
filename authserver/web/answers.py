"""The JSON shapes of an account as its user sees it, for answers of the API and for the file of an export."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from authserver.account.own_account import AccountExport
from authserver.records.audit import AuditRecord
from authserver.records.consent import ConnectedApp
from authserver.records.session import SessionSummary
from authserver.records.user import User


class Answer(BaseModel):
    """A JSON answer. Later releases may add members."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class AccountAnswer(Answer):
    """The calling user."""

    user_id: str
    email: str
    email_verified: bool
    name: str
    given_name: str = Field(description="Empty if not set.")
    family_name: str = Field(description="Empty if not set.")
    phone_number: str = Field(description="Empty if not set.")
    address: str = Field(description="Empty if not set.")
    roles: list[str]
    created_at: int
    password_changed_at: int | None = Field(description="null if no password was ever set.")
    token_version: int

    @classmethod
    def of(cls, user: User) -> "AccountAnswer":
        """Convert `user`."""
        return cls(
            user_id=user.user_id,
            email=user.email,
            email_verified=user.email_verified,
            name=user.name,
            given_name=user.given_name,
            family_name=user.family_name,
            phone_number=user.phone_number,
            address=user.address,
            roles=list(user.roles),
            created_at=seconds(user.created_at),
            password_changed_at=None if user.password_changed_at is None else seconds(user.password_changed_at),
            token_version=user.token_version,
        )


class SessionAnswer(Answer):
    """A session as its user sees it."""

    sid: str
    device_id: str
    device_name: str
    client_id: str | None = Field(description="The client that opened the session; null for a sign-in at a page.")
    clients: list[str] = Field(description="All clients in the session.")
    ip: str = Field(description="The address that it was opened from.")
    user_agent: str
    created_at: int
    last_used_at: int
    expires_at: int = Field(description="When it ends if it is not used.")
    current: bool = Field(description="Whether it is the calling session.")
    state: Literal["active"]

    @classmethod
    def of(cls, summary: SessionSummary, current: str) -> "SessionAnswer":
        """Convert `summary`. `current` is the id of the calling session."""
        session = summary.session
        return cls(
            sid=session.sid,
            device_id=session.device_id,
            device_name=session.device_name,
            client_id=session.client_id,
            clients=list(summary.clients),
            ip=session.ip,
            user_agent=session.user_agent,
            created_at=seconds(session.created_at),
            last_used_at=seconds(summary.last_used_at),
            expires_at=seconds(summary.expires_at),
            current=session.sid == current,
            state="active",
        )


def seconds(instant: datetime) -> int:
    """Convert an instant to whole seconds since the epoch."""
    return int(instant.timestamp())


class EventAnswer(Answer):
    """An audit record."""

    at: int
    event: str
    outcome: str
    by: str = Field(description="A user id, `client:` and a client id, `cli` or `server`.")
    ip: str | None
    sid: str | None
    client_id: str | None
    detail: dict[str, str | int | bool | None]

    @classmethod
    def of(cls, record: AuditRecord) -> "EventAnswer":
        """Convert `record`."""
        return cls(
            at=seconds(record.at),
            event=record.name,
            outcome=record.outcome,
            by=record.actor.name,
            ip=record.actor.ip,
            sid=record.sid,
            client_id=record.client_id,
            detail=dict(record.detail),
        )


class AppAnswer(Answer):
    """A client that may act for the user."""

    client_id: str
    name: str
    scope: list[str]
    granted_at: int
    last_used_at: int | None = Field(description="null if the app has no tokens at the moment.")

    @classmethod
    def of(cls, app: ConnectedApp) -> "AppAnswer":
        """Convert `app`."""
        return cls(
            client_id=app.client_id,
            name=app.name,
            scope=list(app.scope),
            granted_at=seconds(app.granted_at),
            last_used_at=None if app.last_used_at is None else seconds(app.last_used_at),
        )


class ExportAnswer(Answer):
    """All stored data about the calling user."""

    account: AccountAnswer
    sessions: list[SessionAnswer]
    apps: list[AppAnswer]
    events: list[EventAnswer] = Field(description="Newest first.")

    @classmethod
    def of(cls, export: AccountExport, current: str) -> "ExportAnswer":
        """Convert `export`. `current` is the id of the calling session."""
        return cls(
            account=AccountAnswer.of(export.user),
            sessions=[SessionAnswer.of(summary, current) for summary in export.sessions],
            apps=[AppAnswer.of(app) for app in export.apps],
            events=[EventAnswer.of(record) for record in export.events],
        )
