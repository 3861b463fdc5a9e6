"""Statements for a database restored from a backup: nothing that was revoked since may become valid again."""

from datetime import datetime

from sqlalchemy import Connection, case, delete, text, update

from authserver.records.session import Ended
from authserver.storage.instants import to_micros
from authserver.storage.schema import (
    AuthorizationCode,
    DeviceAuthorization,
    FeedCounter,
    MailLink,
    PendingRegistration,
    PushedRequest,
    RefreshTokenFamily,
    Session,
    User,
)


def allow_long_statements(tx: Connection) -> None:
    """Lift the statement time-out: each statement here touches whole tables, once per restored backup."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SET LOCAL statement_timeout = 0"))


def end_everything(tx: Connection, ended: Ended) -> int:
    """End all sessions, families, codes, mailed links and requests that wait; return how many sessions."""
    values = {"ended_at": ended.at, "ended_by": ended.by}
    how = {**values, "soft_logout": ended.soft_logout}
    tx.execute(delete(AuthorizationCode).where(AuthorizationCode.used_at.is_(None)))
    tx.execute(delete(PendingRegistration))
    tx.execute(delete(PushedRequest))
    tx.execute(delete(DeviceAuthorization))
    tx.execute(update(MailLink).where(MailLink.ended_at.is_(None)).values(**values))
    tx.execute(update(RefreshTokenFamily).where(RefreshTokenFamily.ended_at.is_(None)).values(**how))
    return tx.execute(update(Session).where(Session.ended_at.is_(None)).values(**how)).rowcount


def lift_versions(tx: Connection, now: datetime) -> None:
    """Raise each user's versions above all that were ever issued: they count events, and seconds pass faster."""
    floor = int(now.timestamp())
    tx.execute(
        update(User).values(
            token_version=case((User.token_version < floor, floor), else_=User.token_version + 1),
            credential_version=User.credential_version + 1,
        )
    )


def lift_feed(tx: Connection, now: datetime) -> None:
    """Set the feed's next position above every position that a reader may have seen."""
    floor = to_micros(now)
    tx.execute(
        update(FeedCounter).values(position=case((FeedCounter.position < floor, floor), else_=FeedCounter.position + 1))
    )
