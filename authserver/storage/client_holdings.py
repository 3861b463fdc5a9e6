"""Statements on what a client holds of all users: told when it is enabled again, removed when it is deleted."""

from datetime import datetime

from sqlalchemy import Connection, delete, or_, select, update

from authserver.storage.schema import Client, RefreshTokenFamily, Session

_C = Client.__table__.c
_F = RefreshTokenFamily.__table__.c
_S = Session.__table__.c


def list_dead_fams(tx: Connection, client_id: str, *, used_since: datetime, limit: int) -> list[str]:
    """Up to `limit` names of the families that died when the client was disabled and were used since that instant.

    A family that rested since then counts as used: while it rests it gives access tokens and is not written.
    """
    return list(
        tx.execute(
            select(_F.fam)
            .join(Client, _C.client_id == _F.client_id)
            .where(
                _F.client_id == client_id,
                _F.client_family_version < _C.family_version,
                _F.ended_at.is_(None),  # those that ended by themselves have been told
                or_(_F.rotated_at > used_since, _F.late_retry_at > used_since, _F.rests_until > used_since),
            )
            .limit(limit)
        ).scalars()
    )


def remove_families(tx: Connection, client_id: str, *, limit: int) -> int:
    """Remove up to `limit` families of the client; how many these were."""
    some = select(_F.family_id).where(_F.client_id == client_id).limit(limit)
    return tx.execute(delete(RefreshTokenFamily).where(_F.family_id.in_(some))).rowcount


def remove_client(tx: Connection, client_id: str) -> None:
    """Remove the client, of which no family is left; its codes and the consents to it go with it."""
    tx.execute(update(Session).where(_S.client_id == client_id).values(client_id=None))
    tx.execute(delete(Client).where(_C.client_id == client_id))
