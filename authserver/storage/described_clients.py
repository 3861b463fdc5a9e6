"""Statements on clients by URL. Anybody can make up such clients, so that unused ones do not stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, union

from authserver.records.provenance import ByDocument
from authserver.storage.schema import Base, Client, Consent, RefreshTokenFamily, Session

_C = Client.__table__.c
_F = RefreshTokenFamily.__table__.c
_N = Consent.__table__.c
_S = Session.__table__.c
_HOLDINGS = tuple(
    key.parent for table in Base.metadata.tables.values() for key in table.foreign_keys if key.column is _C.client_id
)
"""The columns that refer to a client: whatever has such a row is in use."""


def list_of_user(tx: Connection, user_id: str) -> Sequence[str]:
    """The ids of the clients by URL that have a consent of this user, or a family, ended or not, in their sessions."""
    held = select(_F.client_id).join_from(Session, RefreshTokenFamily, _F.sid == _S.sid).where(_S.user_id == user_id)
    connected = union(held, select(_N.client_id).where(_N.user_id == user_id)).subquery()
    described = select(_C.client_id).where(_C.provenance == ByDocument.name, _C.client_id.in_(select(connected)))
    return tx.execute(described).scalars().all()


@dataclass(frozen=True, slots=True)
class ClientsPruned:
    """The number of removed clients, and the place to continue; None after the last one."""

    count: int
    place: str | None


def prune(tx: Connection, place: str, before: datetime, *, limit: int) -> ClientsPruned:
    """Of the `limit` clients by URL after `place`, remove those that hold nothing and were stored before `before`.

    A disabled one stays, or its document would bring it back enabled. What a client holds is looked up once it is
    locked, because a user may be allowing it something at this moment.
    """
    next_ones = select(_C.client_id).where(_C.provenance == ByDocument.name, _C.client_id > place)
    looked_at = tx.execute(next_ones.order_by(_C.client_id).limit(limit)).scalars().all()
    if not looked_at:
        return ClientsPruned(0, None)
    free = [~select(held).where(held == _C.client_id).exists() for held in _HOLDINGS]
    unused = _C.client_id.in_(looked_at), _C.disabled_at.is_(None), _C.created_at < before, *free
    locked = tx.execute(select(_C.client_id).where(*unused).with_for_update(skip_locked=True)).scalars().all()
    removed = tx.execute(delete(Client).where(_C.client_id.in_(locked), *unused)).rowcount if locked else 0
    return ClientsPruned(removed, looked_at[-1] if len(looked_at) == limit else None)
