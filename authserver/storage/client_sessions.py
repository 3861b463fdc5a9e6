"""Statements on what clients know of sessions, so that each of them can be told of the end."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from authserver.records.client_session import ClientSession
from authserver.storage.schema import Client, Session
from authserver.storage.schema import ClientSession as ClientSessionRow

_K = ClientSessionRow.__table__.c
_S = Session.__table__.c
_C = Client.__table__.c


def remember(tx: Connection, client_id: str, sid: str) -> None:
    """Note that the client got tokens in this session. The caller holds the user's row."""
    known = select(_K.sid).where(_K.client_id == client_id, _K.seen_sid == sid)
    if tx.execute(known).first() is None:
        tx.execute(insert(ClientSessionRow), {"client_id": client_id, "seen_sid": sid, "sid": sid})


def hand_on(tx: Connection, user_id: str, device_id: str, sid: str) -> None:
    """Let the new session `sid` go on with what clients know of the renewed sessions on this device of the user.

    A session that ended otherwise has left nothing.
    """
    renewed = select(_S.sid).where(_S.user_id == user_id, _S.device_id == device_id, _S.ended_at.is_not(None))
    tx.execute(update(ClientSessionRow).where(_K.sid.in_(renewed)).values(sid=sid))


def end(tx: Connection, sids: Sequence[str], now: datetime, *, client_id: str | None = None) -> list[ClientSession]:
    """Forget what clients, or only this one, know of the sessions `sids`; return what they have to be told.

    Those are the clients with a back-channel logout URI. A session past its absolute end is over for everybody
    already. Only `revocation` calls this.
    """
    if not sids:
        return []
    which = [_K.sid.in_(sids), *(() if client_id is None else (_K.client_id == client_id,))]
    rows = tx.execute(
        select(_K.client_id, _K.seen_sid, _S.user_id, _S.expires_at)
        .join_from(ClientSessionRow, Session, _S.sid == _K.sid)
        .join(Client, _C.client_id == _K.client_id)
        .where(*which, _C.backchannel_logout_uri.is_not(None), _S.expires_at > now)
        .order_by(_K.client_id, _K.seen_sid)
    ).all()
    tx.execute(delete(ClientSessionRow).where(*which))
    return [ClientSession(row.client_id, row.seen_sid, row.user_id, row.expires_at) for row in rows]
