"""Statements on the sessions that browsers hold with a cookie: one sign-in for several applications."""

from datetime import datetime

from sqlalchemy import Connection, update

from authserver.records.session import BrowserMark, Session
from authserver.storage.schema import Session as SessionRow
from authserver.storage.sessions import SESSION, decode_session

_S = SessionRow.__table__.c


def hand_over(tx: Connection, sid: str, mark: BrowserMark, auth_time: datetime) -> None:
    """Give the session to the browser that holds the cookie of `mark`; an earlier cookie no longer opens it."""
    tx.execute(
        update(SessionRow)
        .where(_S.sid == sid)
        .values(
            browser_digest=mark.digest,
            browser_used_at=mark.used_at,
            browser_idle_expires_at=mark.idle_expires_at,
            auth_time=auth_time,
        )
    )


def touch(tx: Connection, mark: BrowserMark) -> None:
    """Record that the browser was seen."""
    tx.execute(
        update(SessionRow)
        .where(_S.browser_digest == mark.digest, _S.ended_at.is_(None))
        .values(browser_used_at=mark.used_at, browser_idle_expires_at=mark.idle_expires_at)
    )


def find(tx: Connection, digest: bytes, now: datetime) -> tuple[Session, datetime] | None:
    """The live session of the browser that shows this cookie, and when the browser was last seen."""
    row = tx.execute(
        SESSION.add_columns(_S.browser_used_at).where(
            _S.browser_digest == digest,
            _S.ended_at.is_(None),
            _S.browser_idle_expires_at > now,
            _S.expires_at > now,
        )
    ).one_or_none()
    return None if row is None else (decode_session(row), row.browser_used_at)


def find_on_device(tx: Connection, user_id: str, device_id: str, now: datetime) -> Session | None:
    """The live session of this browser, found by its device, even if the browser has lost its cookie."""
    row = tx.execute(
        SESSION.where(
            _S.user_id == user_id,
            _S.device_id == device_id,
            _S.browser_digest.is_not(None),
            _S.ended_at.is_(None),
            _S.expires_at > now,
        )
    ).one_or_none()
    return None if row is None else decode_session(row)
