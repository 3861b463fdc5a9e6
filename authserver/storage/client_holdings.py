"""Statements on a client's families of all users, for enabling the client again and for deleting it."""

from datetime import datetime

from sqlalchemy import Connection, delete, or_, select, update

from authserver.storage.schema import Client, ClientSession, RefreshTokenFamily, Session

_C = Client.__table__.c
_K = ClientSession.__table__.c
_F = RefreshTokenFamily.__table__.c
_S = Session.__table__.c


def list_dead_fams(tx: Connection, client_id: str, *, used_since: datetime, limit: int) -> list[str]:
    """List up to `limit` `fam`s of families that died when the client was disabled and were used since `used_since`.

    A family that rested since then counts as used: a resting family gives out access tokens without a write.
    """
    return list(
        tx.execute(
            select(_F.fam)
            .join(Client, _C.client_id == _F.client_id)
            .where(
                _F.client_id == client_id,
                _F.client_family_version < _C.family_version,
                _F.ended_at.is_(None),  # families that were ended are already in the feed
                or_(_F.rotated_at > used_since, _F.late_retry_at > used_since, _F.rests_until > used_since),
            )
            .limit(limit)
        ).scalars()
    )


def remove_families(tx: Connection, client_id: str, *, limit: int) -> int:
    """Remove up to `limit` families of the client; return how many."""
    some = select(_F.family_id).where(_F.client_id == client_id).limit(limit)
    return tx.execute(delete(RefreshTokenFamily).where(_F.family_id.in_(some))).rowcount


def remove_client_sessions(tx: Connection, client_id: str, *, limit: int) -> int:
    """Remove up to `limit` rows of what the client knows of sessions; return how many."""
    some = select(_K.seen_sid).where(_K.client_id == client_id).limit(limit)
    return tx.execute(delete(ClientSession).where(_K.client_id == client_id, _K.seen_sid.in_(some))).rowcount


def remove_client(tx: Connection, client_id: str) -> None:
    """Remove the client, which must have no family left, with its codes and the consents to it."""
    tx.execute(update(Session).where(_S.client_id == client_id).values(client_id=None))
    tx.execute(delete(Client).where(_C.client_id == client_id))
