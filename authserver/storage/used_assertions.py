"""Statements on client assertions that were used. Each works once, on whichever node it arrives (RFC 7523 §3)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from authserver.storage.picking import pick_free
from authserver.storage.schema import UsedAssertion

_U = UsedAssertion.__table__.c
_Insert = Callable[..., postgresql.Insert | sqlite.Insert]
_INSERTS: Final[Mapping[str, _Insert]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def use(tx: Connection, assertion_digest: bytes, expires_at: datetime) -> bool:
    """Use the assertion up; False if it was used before. Of concurrent callers, exactly one gets True."""
    values = {"assertion_digest": assertion_digest, "expires_at": expires_at}
    insert = _INSERTS[tx.dialect.name](UsedAssertion).on_conflict_do_nothing()
    # Not `rowcount`: that of an INSERT is unknown with PostgreSQL's driver, and unknown is not 0.
    return tx.execute(insert.returning(_U.assertion_digest), values).first() is not None


def prune(tx: Connection, expired_before: datetime, *, limit: int) -> int:
    """Remove up to `limit` assertions that no node accepts since `expired_before`; return how many."""
    old = select(_U.assertion_digest).where(_U.expires_at < expired_before).order_by(_U.expires_at).limit(limit)
    return tx.execute(delete(UsedAssertion).where(_U.assertion_digest.in_(pick_free(old)))).rowcount
