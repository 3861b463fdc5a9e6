"""Statements on pushed authorization requests. Only the digest of a `request_uri` is stored."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from authserver.records.pushed_request import PushedRequest
from authserver.storage.picking import pick_free
from authserver.storage.schema import PushedRequest as PushedRow

_P = PushedRow.__table__.c


def add(tx: Connection, pushed: PushedRequest) -> None:
    """Insert `pushed`, which no browser has opened."""
    tx.execute(
        insert(PushedRow),
        {
            "digest": pushed.digest,
            "client_id": pushed.client_id,
            "text": pushed.text,
            "created_at": pushed.created_at,
            "expires_at": pushed.expires_at,
        },
    )


def find(tx: Connection, digest: bytes) -> PushedRequest | None:
    """The request with this digest, opened or not, or None."""
    row = tx.execute(select(PushedRow.__table__).where(_P.digest == digest)).one_or_none()
    return None if row is None else _decode(row)


def claim(tx: Connection, digest: bytes, request_id: str, now: datetime) -> bool:
    """Open the request for this interaction; False if it has expired or is open. Of many at once, one gets True."""
    return bool(
        tx.execute(
            update(PushedRow)
            .where(_P.digest == digest, _P.request_id.is_(None), _P.expires_at > now)
            .values(request_id=request_id)
        ).rowcount
    )


def prune(tx: Connection, expired_before: datetime, unopened_before: datetime, *, limit: int) -> int:
    """Remove up to `limit` requests that expired before `expired_before`; return how many.

    Those that no browser opened go if they expired before `unopened_before`, which is later.
    """
    is_over = or_(_P.expires_at < expired_before, _P.request_id.is_(None))
    old = select(_P.digest).where(_P.expires_at < unopened_before, is_over).order_by(_P.expires_at).limit(limit)
    return tx.execute(delete(PushedRow).where(_P.digest.in_(pick_free(old)))).rowcount


def _decode(row: Row[Any]) -> PushedRequest:
    return PushedRequest(
        digest=row.digest,
        client_id=row.client_id,
        text=row.text,
        created_at=row.created_at,
        expires_at=row.expires_at,
        request_id=row.request_id,
    )
