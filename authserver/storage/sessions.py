"""Statements on sessions. Only `revocation` ends them."""

from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, insert, or_, select, update

from authserver.records.presence import Presence
from authserver.records.session import Ended, Session, SessionSummary, first_end
from authserver.records.user import Standing
from authserver.storage.families import enabled_for_family, family_end, is_live
from authserver.storage.feed import is_revoked
from authserver.storage.instants import Instant
from authserver.storage.schema import Client, RefreshTokenFamily, User
from authserver.storage.schema import Session as SessionRow

_S = SessionRow.__table__.c
_F = RefreshTokenFamily.__table__.c
_U = User.__table__.c
_C = Client.__table__.c


SESSION: Final[Select[Any]] = select(
    _S.sid,
    _S.user_id,
    _S.device_id,
    _S.device_name,
    _S.client_id,
    _S.ip,
    _S.user_agent,
    _S.created_at,
    _S.expires_at,
    _S.auth_time,
    _S.amr,
    _S.acr,
)
"""The columns that `decode_session` reads."""

# Built once: building a statement takes several times as long as executing it.
_LIVE = SESSION.where(
    _S.user_id == bindparam("user_id"),
    _S.sid == bindparam("sid"),
    _S.ended_at.is_(None),
    _S.expires_at > bindparam("now", type_=Instant),
)
_LIVE_ON_DEVICE = select(_S.sid).where(
    _S.user_id == bindparam("user_id"), _S.device_id == bindparam("device_id"), _S.ended_at.is_(None)
)
_DEVICE_NAMES = (
    select(_S.device_name)
    .where(_S.user_id == bindparam("user_id"), _S.device_id == bindparam("device_id"), _S.device_name != "")
    .order_by(_S.created_at.desc())
    .limit(1)
)
_PRESENCE = (
    select(
        _U.locked_at,
        _U.disabled_at,
        _U.token_version,
        _S.expires_at.label("session_expires_at"),
        family_end().label("family_ends_at"),
        _S.ended_at.label("session_ended_at"),
        _S.ended_by.label("session_ended_by"),
        _S.soft_logout.label("session_soft_logout"),
        _F.ended_at.label("family_ended_at"),
        _F.ended_by.label("family_ended_by"),
        _F.soft_logout.label("family_soft_logout"),
        enabled_for_family().label("client_enabled"),
        is_revoked(bindparam("jti")).label("token_revoked"),
    )
    .join_from(User, SessionRow, _S.user_id == _U.user_id)
    .join(RefreshTokenFamily, _F.sid == _S.sid)
    .join(Client, _C.client_id == _F.client_id)
    .where(_U.user_id == bindparam("user_id"), _S.sid == bindparam("sid"), _F.fam == bindparam("fam"))
)


def add(tx: Connection, session: Session) -> None:
    """Insert `session`. The caller holds the user's row and has ended the device's earlier session."""
    tx.execute(
        insert(SessionRow),
        {
            "sid": session.sid,
            "user_id": session.user_id,
            "device_id": session.device_id,
            "device_name": session.device_name,
            "client_id": session.client_id,
            "ip": session.ip,
            "user_agent": session.user_agent,
            "created_at": session.created_at,
            "expires_at": session.expires_at,
            "auth_time": session.auth_time,
            "amr": " ".join(session.amr),
            "acr": session.acr,
        },
    )


def find_live_on_device(tx: Connection, user_id: str, device_id: str) -> str | None:
    """The `sid` of the session that has not ended on this device of the user, or None."""
    sid: str | None = tx.execute(_LIVE_ON_DEVICE, {"user_id": user_id, "device_id": device_id}).scalar_one_or_none()
    return sid


def find_device_name(tx: Connection, user_id: str, device_id: str) -> str:
    """The newest name of this device in the user's sessions, ended or not; empty if the device is unknown."""
    name: str | None = tx.execute(_DEVICE_NAMES, {"user_id": user_id, "device_id": device_id}).scalar_one_or_none()
    return name or ""


def exists_on_device(tx: Connection, email: str, device_id: str) -> bool:
    """Whether the user with this canonical address has a session, ended or not, on this device."""
    found = tx.execute(
        select(_S.sid)
        .join_from(User, SessionRow, _S.user_id == _U.user_id)
        .where(_U.email == email, _S.device_id == device_id)
        .limit(1)
    ).scalar_one_or_none()
    return found is not None


def find_live(tx: Connection, user_id: str, sid: str, now: datetime) -> Session | None:
    """The user's session, if it has neither ended nor expired."""
    row = tx.execute(_LIVE, {"user_id": user_id, "sid": sid, "now": now}).one_or_none()
    return None if row is None else decode_session(row)


def find_owner(tx: Connection, sid: str) -> str | None:
    """The user of this session, ended or not, or None."""
    user_id: str | None = tx.execute(select(_S.user_id).where(_S.sid == sid)).scalar_one_or_none()
    return user_id


def find_presence(tx: Connection, user_id: str, sid: str, fam: str, jti: str) -> Presence | None:
    """The state of an access token's user, session and family; None if one of them does not exist."""
    row = tx.execute(_PRESENCE, {"user_id": user_id, "sid": sid, "fam": fam, "jti": jti}).one_or_none()
    if row is None:
        return None
    return Presence(
        standing=Standing.of(row.locked_at, row.disabled_at),
        token_version=row.token_version,
        session_expires_at=row.session_expires_at,
        family_ends_at=row.family_ends_at,
        session_ended=_decode_end(row.session_ended_at, row.session_ended_by, row.session_soft_logout),
        family_ended=_decode_end(row.family_ended_at, row.family_ended_by, row.family_soft_logout),
        client_enabled=row.client_enabled,
        token_revoked=row.token_revoked,
    )


def list_live(tx: Connection, user_id: str, now: datetime) -> list[SessionSummary]:
    """The user's sessions that have not ended and that a client or a browser can still use, last used first."""
    rows = tx.execute(_select_live(tx.dialect.name), {"user_id": user_id, "now": now})
    return sorted(map(_summarise, rows), key=attrgetter("last_used_at"), reverse=True)


@cache
def _select_live(dialect: str) -> Select[Any]:
    now = bindparam("now", type_=Instant)
    join = func.group_concat if dialect == "sqlite" else func.string_agg
    live_family = and_(
        _F.sid == _S.sid,
        is_live(now),
        select(_C.client_id)
        .where(_C.client_id == _F.client_id, enabled_for_family())
        .correlate(RefreshTokenFamily.__table__)
        .exists(),
    )
    return (
        SESSION.add_columns(
            _S.browser_used_at,
            _S.browser_idle_expires_at,
            func.max(_F.rotated_at).label("rotated_at"),
            func.max(family_end()).label("families_end_at"),
            # A client id holds no space. Both databases can join strings with a separator.
            join(_F.client_id, " ").label("clients"),
        )
        .select_from(SessionRow.__table__.outerjoin(RefreshTokenFamily.__table__, live_family))
        .where(_S.user_id == bindparam("user_id"), _S.ended_at.is_(None), _S.expires_at > now)
        .group_by(_S.sid)
        .having(or_(func.count(_F.fam) > 0, _S.browser_idle_expires_at > now))
    )


def _summarise(row: Row[Any]) -> SessionSummary:
    session = decode_session(row)
    browser_end = None if row.browser_used_at is None else first_end(row.browser_idle_expires_at, session.expires_at)
    return SessionSummary(
        session,
        clients=tuple(sorted(set((row.clients or "").split()))),
        last_used_at=max(filter(None, (row.browser_used_at, row.rotated_at))),
        expires_at=max(filter(None, (browser_end, row.families_end_at))),
    )


def end(tx: Connection, user_id: str, ended: Ended, *, only: str | None = None, but: str | None = None) -> list[str]:
    """End the user's open sessions: all, `only` this `sid`, or all `but` this one; return their `sid`s.

    Only `revocation` calls this, and it ends the families in the same transaction.
    """
    which = [_S.user_id == user_id, _S.ended_at.is_(None)]
    if only is not None:
        which.append(_S.sid == only)
    if but is not None:
        which.append(_S.sid != but)
    return list(
        tx.execute(
            update(SessionRow)
            .where(*which)
            .values(ended_at=ended.at, ended_by=ended.by, soft_logout=ended.soft_logout)
            .returning(_S.sid)
        ).scalars()
    )


def decode_session(row: Row[Any]) -> Session:
    """Decode a row of `SESSION`, which may have further columns."""
    return Session(
        sid=row.sid,
        user_id=row.user_id,
        device_id=row.device_id,
        device_name=row.device_name,
        client_id=row.client_id,
        ip=row.ip,
        user_agent=row.user_agent,
        created_at=row.created_at,
        expires_at=row.expires_at,
        auth_time=row.auth_time,
        amr=tuple(row.amr.split()),
        acr=row.acr,
    )


def _decode_end(ended_at: datetime | None, ended_by: str | None, soft_logout: bool) -> Ended | None:  # noqa: FBT001 - three columns of one row
    return None if ended_at is None else Ended(ended_at, ended_by or "", soft_logout)
