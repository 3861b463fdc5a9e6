"""Statements on device authorizations. Device codes are stored as digests, user codes as tags."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from authserver.records.device_authorization import (
    Approved,
    Decided,
    Denied,
    DeviceAuthorization,
    Exchanged,
    Undecided,
)
from authserver.storage.picking import pick_free
from authserver.storage.schema import DeviceAuthorization as DeviceRow

_D = DeviceRow.__table__.c
_SECOND = timedelta(seconds=1)
_UNDECIDED = (_D.auth_time.is_(None), _D.denied_at.is_(None))


def add(tx: Connection, device: DeviceAuthorization, user_code_tag: bytes) -> bool:
    """Insert `device`, which nobody has claimed; False if its user code is taken."""
    row = {
        "code_digest": device.code_digest,
        "user_code_tag": user_code_tag,
        "client_id": device.client_id,
        "client_family_version": device.client_family_version,
        "scope": device.scope,
        "audience": " ".join(device.audience),
        "ip": device.ip,
        "user_agent": device.user_agent,
        "created_at": device.created_at,
        "expires_at": device.expires_at,
        "interval_seconds": device.interval // _SECOND,
    }
    try:
        with tx.begin_nested():
            tx.execute(insert(DeviceRow), row)
    except IntegrityError:
        return False
    return True


def find(tx: Connection, code_digest: bytes) -> DeviceAuthorization | None:
    """The authorization with this device code, whatever became of it, or None."""
    row = tx.execute(select(DeviceRow.__table__).where(_D.code_digest == code_digest)).one_or_none()
    return None if row is None else _decode(row)


def find_for_update(tx: Connection, code_digest: bytes) -> DeviceAuthorization | None:
    """The same, with its row locked until this transaction ends. Take the row of its user before."""
    row = tx.execute(select(DeviceRow.__table__).where(_D.code_digest == code_digest).with_for_update()).one_or_none()
    return None if row is None else _decode(row)


def find_claimed(tx: Connection, request_id: str, user_id: str, now: datetime) -> DeviceAuthorization | None:
    """What this user claimed for this request of their browser, unless it has expired."""
    row = tx.execute(
        select(DeviceRow.__table__).where(_D.request_id == request_id, _D.claimed_by == user_id, _D.expires_at > now)
    ).one_or_none()
    return None if row is None else _decode(row)


def claim(tx: Connection, user_code_tags: Collection[bytes], user_id: str, request_id: str, now: datetime) -> bool:
    """Bind the undecided authorization with one of these tags to the user; False if there is none for them.

    A request of a browser is about one device: once it has claimed one, it claims no other. The caller holds the
    user's row.
    """
    statement = (
        update(DeviceRow)
        .where(
            _D.user_code_tag.in_(user_code_tags),
            _D.claimed_by.is_(None) | (_D.claimed_by == user_id),
            _D.expires_at > now,
            *_UNDECIDED,
        )
        .values(claimed_by=user_id, request_id=request_id)
    )
    try:
        with tx.begin_nested():
            return bool(tx.execute(statement).rowcount)
    except IntegrityError:
        return False


def approve(tx: Connection, code_digest: bytes, approved: Approved) -> None:
    """Allow it. The caller holds this row and the row of the user who claimed it."""
    tx.execute(
        update(DeviceRow)
        .where(_D.code_digest == code_digest, *_UNDECIDED)
        .values(auth_time=approved.auth_time, amr=" ".join(approved.amr), acr=approved.acr)
    )


def deny(tx: Connection, code_digest: bytes, now: datetime) -> None:
    """Refuse it. The caller holds this row and the row of the user who claimed it."""
    tx.execute(update(DeviceRow).where(_D.code_digest == code_digest, *_UNDECIDED).values(denied_at=now))


def note_poll(tx: Connection, code_digest: bytes, now: datetime, interval: timedelta) -> None:
    """Remember that the device asked, and how long it has to wait from now on."""
    tx.execute(
        update(DeviceRow)
        .where(_D.code_digest == code_digest)
        .values(polled_at=now, interval_seconds=interval // _SECOND)
    )


def use(tx: Connection, code_digest: bytes, now: datetime) -> None:
    """Mark it as exchanged. The caller holds this row and the row of its user."""
    tx.execute(update(DeviceRow).where(_D.code_digest == code_digest, _D.used_at.is_(None)).values(used_at=now))


def end_open(tx: Connection, user_id: str, now: datetime, *, client_id: str | None = None) -> int:
    """Let expire what the user claimed or approved and no device has exchanged, of a client or all; return how many.

    Only `revocation` calls this.
    """
    which = [_D.claimed_by == user_id, _D.used_at.is_(None), _D.denied_at.is_(None), _D.expires_at > now]
    if client_id is not None:
        which.append(_D.client_id == client_id)
    return tx.execute(update(DeviceRow).where(*which).values(expires_at=now)).rowcount


def prune(tx: Connection, expired_before: datetime, *, limit: int) -> int:
    """Remove up to `limit` that expired before `expired_before`, whatever became of them; return how many."""
    old = select(_D.code_digest).where(_D.expires_at < expired_before).order_by(_D.expires_at).limit(limit)
    return tx.execute(delete(DeviceRow).where(_D.code_digest.in_(pick_free(old)))).rowcount


def _decode(row: Row[Any]) -> DeviceAuthorization:
    return DeviceAuthorization(
        code_digest=row.code_digest,
        client_id=row.client_id,
        client_family_version=row.client_family_version,
        scope=row.scope,
        audience=tuple(row.audience.split()),
        ip=row.ip,
        user_agent=row.user_agent,
        created_at=row.created_at,
        expires_at=row.expires_at,
        interval=timedelta(seconds=row.interval_seconds),
        polled_at=row.polled_at,
        claimed_by=row.claimed_by,
        request_id=row.request_id,
        decided=_decode_decision(row),
    )


def _decode_decision(row: Row[Any]) -> Decided:
    if row.used_at is not None:
        return Exchanged()
    if row.denied_at is not None:
        return Denied()
    if row.auth_time is not None:
        return Approved(row.auth_time, tuple(row.amr.split()), row.acr)
    return Undecided()
