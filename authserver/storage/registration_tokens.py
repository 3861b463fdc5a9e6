"""Statements on the tokens with which clients register themselves."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from authserver.records.registration_token import RegistrationToken
from authserver.storage.picking import pick_free
from authserver.storage.schema import RegistrationToken as TokenRow

_T = TokenRow.__table__.c

_TOKEN: Select[Any] = select(_T.token_id, _T.scope, _T.audience, _T.uses_left, _T.created_at, _T.expires_at)


def add(tx: Connection, token: RegistrationToken, digest: bytes) -> None:
    """Insert `token`, whose text has this digest."""
    tx.execute(
        insert(TokenRow),
        {
            "token_id": token.token_id,
            "token_digest": digest,
            "scope": " ".join(token.scope),
            "audience": " ".join(token.audience),
            "uses_left": token.uses_left,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
        },
    )


def find_usable(tx: Connection, digest: bytes, now: datetime) -> RegistrationToken | None:
    """The token with this digest, if it still registers a client."""
    row = tx.execute(_TOKEN.where(_T.token_digest == digest, _is_usable(now))).one_or_none()
    return None if row is None else _decode(row)


def use(tx: Connection, token_id: str, now: datetime) -> bool:
    """Take one use from the token; False if none is left. This one statement decides races."""
    one = update(TokenRow).where(_T.token_id == token_id, _is_usable(now)).values(uses_left=_T.uses_left - 1)
    return bool(tx.execute(one).rowcount)


def list_usable(tx: Connection, now: datetime) -> list[RegistrationToken]:
    """The tokens that still register clients, oldest first."""
    return [_decode(row) for row in tx.execute(_TOKEN.where(_is_usable(now)).order_by(_T.created_at, _T.token_id))]


def end(tx: Connection, token_id: str, now: datetime) -> bool:
    """Remove the token; False if it registered no client any more."""
    return bool(tx.execute(delete(TokenRow).where(_T.token_id == token_id, _is_usable(now))).rowcount)


def prune(tx: Connection, now: datetime, *, limit: int) -> int:
    """Remove up to `limit` tokens that are used up or have expired; return how many."""
    over = select(_T.token_id).where(or_(_T.expires_at <= now, _T.uses_left == 0)).limit(limit)
    return tx.execute(delete(TokenRow).where(_T.token_id.in_(pick_free(over)))).rowcount


def _is_usable(now: datetime) -> ColumnElement[bool]:
    return (_T.uses_left > 0) & (_T.expires_at > now)


def _decode(row: Row[Any]) -> RegistrationToken:
    return RegistrationToken(
        row.token_id,
        tuple(row.scope.split()),
        tuple(row.audience.split()),
        row.uses_left,
        row.created_at,
        row.expires_at,
    )
