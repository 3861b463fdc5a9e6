"""Statements on refresh token families, except the one that rotates them (see `rotation`)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    LargeBinary,
    Row,
    Select,
    and_,
    bindparam,
    case,
    insert,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from authserver.records.family import FIRST_GENERATION, Bond, Family, GrantedAccess, LateRetryMark, NewFamily
from authserver.records.session import Ended
from authserver.records.user import Standing
from authserver.storage.schema import Client, RefreshTokenFamily, User

_F = RefreshTokenFamily.__table__.c
_U = User.__table__.c
_C = Client.__table__.c
GRANTED_COLUMNS = (
    _F.user_id,
    _F.sid,
    _F.fam,
    _F.client_id,
    _F.device_id,
    _F.scope,
    _F.audience,
    _F.auth_time,
    _F.amr,
    _F.acr,
)


def decode_granted(row: Any, auth_time: datetime) -> GrantedAccess:  # noqa: ANN401 - any row that holds `GRANTED_COLUMNS` by name
    """Decode the access that the family of `row` was granted; `auth_time` is its decoded instant."""
    return GrantedAccess(
        user_id=row.user_id,
        sid=row.sid,
        fam=row.fam,
        client_id=row.client_id,
        device_id=row.device_id,
        scope=row.scope,
        audience=tuple(row.audience.split()),
        auth_time=auth_time,
        amr=tuple(row.amr.split()),
        acr=row.acr,
    )


def enabled_for_family() -> ColumnElement[bool]:
    """SQL: the client of the family is enabled, and has not been disabled since the family began."""
    return and_(_C.disabled_at.is_(None), _C.family_version == _F.client_family_version)


def family_end() -> ColumnElement[datetime]:
    """SQL for `Family.ends_at`. The two databases name the minimum of two values differently."""
    return case((_F.idle_expires_at < _F.expires_at, _F.idle_expires_at), else_=_F.expires_at)


def is_live(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """SQL: the family was not ended and has not expired."""
    return and_(_F.ended_at.is_(None), _F.idle_expires_at > now, _F.expires_at > now)


_FAMILY: Select[Any] = (
    select(
        *GRANTED_COLUMNS,
        _F.family_id,
        _F.generation,
        _F.mac_kid,
        _F.rotated_at,
        _F.idle_expires_at,
        _F.expires_at,
        _F.late_retry_generation,
        _F.late_retry_at,
        _F.rests_until,
        _F.ended_at,
        _F.ended_by,
        _F.soft_logout,
        _F.jkt,
        _F.bound_generation,
        _U.token_version,
        _U.roles,
        _U.locked_at,
        _U.disabled_at,
        enabled_for_family().label("client_enabled"),
    )
    .join(User, _U.user_id == _F.user_id)
    .join(Client, _C.client_id == _F.client_id)
)


FIND: Select[Any] = _FAMILY.where(_F.family_id == bindparam("wanted_family", type_=LargeBinary))
"""The statement of `find`, for code that compiles it once; `decode_family` reads its row."""


def find(tx: Connection, family_id: bytes) -> Family | None:
    """The family with the standing of its user and client, or None."""
    row = tx.execute(FIND, {"wanted_family": family_id}).one_or_none()
    return None if row is None else decode_family(row)


def find_by_fam(tx: Connection, fam: str) -> Family | None:
    """The family that tokens call `fam`, or None."""
    row = tx.execute(_FAMILY.where(_F.fam == fam)).one_or_none()
    return None if row is None else decode_family(row)


def list_excess(tx: Connection, sid: str, client_id: str, most: int) -> list[Family]:
    """The families of this client in this session, except the `most` that it used last."""
    mine = _FAMILY.where(_F.sid == sid, _F.client_id == client_id, _F.ended_at.is_(None))
    return [decode_family(row) for row in tx.execute(mine.order_by(_F.rotated_at.desc(), _F.fam).offset(most))]


def list_of_client(tx: Connection, user_id: str, client_id: str) -> list[Family]:
    """The families of this client and user that have not ended."""
    rows = tx.execute(_FAMILY.where(_F.user_id == user_id, _F.client_id == client_id, _F.ended_at.is_(None)))
    return [decode_family(row) for row in rows]


def has_live(tx: Connection, sid: str, client_id: str, now: datetime) -> bool:
    """Whether the client holds a live family in this session."""
    live = select(_F.family_id).where(_F.sid == sid, _F.client_id == client_id, is_live(now))
    return tx.execute(live.limit(1)).first() is not None


def find_for_update(tx: Connection, family_id: bytes) -> Family | None:
    """The family, with its row locked until this transaction ends, or None. Lock its user first."""
    row = tx.execute(
        _FAMILY.where(_F.family_id == family_id).with_for_update(of=RefreshTokenFamily.__table__)
    ).one_or_none()
    return None if row is None else decode_family(row)


def decode_family(row: Row[Any]) -> Family:
    """Decode a row of `FIND`, with its instants and booleans."""
    return Family(
        family_id=row.family_id,
        granted=decode_granted(row, row.auth_time),
        generation=row.generation,
        mac_kid=row.mac_kid,
        rotated_at=row.rotated_at,
        idle_expires_at=row.idle_expires_at,
        expires_at=row.expires_at,
        late_retry=None if row.late_retry_at is None else LateRetryMark(row.late_retry_generation, row.late_retry_at),
        rests_until=row.rests_until,
        ended=None if row.ended_at is None else Ended(row.ended_at, row.ended_by or "", row.soft_logout),
        client_enabled=row.client_enabled,
        standing=Standing.of(row.locked_at, row.disabled_at),
        token_version=row.token_version,
        roles=tuple(row.roles.split()),
        bond=None if row.jkt is None else Bond(row.jkt, row.bound_generation),
    )


def add(tx: Connection, family: NewFamily, now: datetime) -> None:
    """Insert `family`. The caller holds the user's row."""
    granted = family.granted
    tx.execute(
        insert(RefreshTokenFamily),
        {
            "family_id": family.family_id,
            "fam": granted.fam,
            "sid": granted.sid,
            "user_id": granted.user_id,
            "client_id": granted.client_id,
            "client_family_version": family.client_family_version,
            "device_id": granted.device_id,
            "scope": granted.scope,
            "audience": " ".join(granted.audience),
            "auth_time": granted.auth_time,
            "amr": " ".join(granted.amr),
            "acr": granted.acr,
            "created_at": now,
            "expires_at": family.expires_at,
            "generation": FIRST_GENERATION,
            "mac_kid": family.mac_kid,
            "rotated_at": now,
            "rests_until": None,
            "idle_expires_at": family.idle_expires_at,
            "jkt": family.jkt,
            "bound_generation": None if family.jkt is None else FIRST_GENERATION,
        },
    )


def bind(tx: Connection, family_id: bytes, bond: Bond) -> None:
    """Bind a family to a key. The caller has locked its row, and it is not bound yet."""
    tx.execute(
        update(RefreshTokenFamily)
        .where(_F.family_id == family_id, _F.jkt.is_(None))
        .values(jkt=bond.jkt, bound_generation=bond.generation)
    )


def mark_late_retry(tx: Connection, family_id: bytes, mark: LateRetryMark, rests_until: datetime | None) -> None:
    """Record a late retry of the predecessor `mark.generation`; the family rests again."""
    tx.execute(
        update(RefreshTokenFamily)
        .where(_F.family_id == family_id)
        .values(late_retry_generation=mark.generation, late_retry_at=mark.at, rests_until=rests_until)
    )


def end_of_sessions(tx: Connection, sids: Sequence[str], ended: Ended) -> None:
    """End the families of these sessions that still live. Only `revocation` calls this."""
    _end(tx, _F.sid.in_(sids), ended)


def end_one(tx: Connection, family_id: bytes, ended: Ended) -> bool:
    """End this family; False if it had already ended. Only `revocation` calls this."""
    return bool(_end(tx, _F.family_id == family_id, ended))


def _end(tx: Connection, where: ColumnElement[bool], ended: Ended) -> int:
    return tx.execute(
        update(RefreshTokenFamily)
        .where(where, _F.ended_at.is_(None))
        .values(ended_at=ended.at, ended_by=ended.by, soft_logout=ended.soft_logout)
    ).rowcount
