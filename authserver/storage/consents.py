"""Statements on users' consents to clients."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from authserver.records.consent import ConnectedApp, Consent
from authserver.storage.families import enabled_for_family, is_live
from authserver.storage.schema import Client, RefreshTokenFamily
from authserver.storage.schema import Consent as ConsentRow

_N = ConsentRow.__table__.c
_C = Client.__table__.c
_F = RefreshTokenFamily.__table__.c


def find(tx: Connection, user_id: str, client_id: str) -> Consent | None:
    """The consent of this user to this client, or None."""
    row = tx.execute(
        select(_N.scope, _N.audience, _N.granted_at).where(_N.user_id == user_id, _N.client_id == client_id)
    ).one_or_none()
    if row is None:
        return None
    return Consent(user_id, client_id, frozenset(row.scope.split()), frozenset(row.audience.split()), row.granted_at)


def remember(tx: Connection, consent: Consent) -> None:
    """Add `consent` to the earlier one. The caller holds the user's row, so that no other transaction does the same."""
    known = find(tx, consent.user_id, consent.client_id)
    scope, audience = consent.scope, consent.audience
    if known is not None:
        scope, audience = scope | known.scope, audience | known.audience
    values = {
        "scope": " ".join(sorted(scope)),
        "audience": " ".join(sorted(audience)),
        "granted_at": consent.granted_at,
    }
    if known is None:
        tx.execute(insert(ConsentRow), {"user_id": consent.user_id, "client_id": consent.client_id, **values})
    else:
        tx.execute(
            update(ConsentRow).where(_N.user_id == consent.user_id, _N.client_id == consent.client_id).values(**values)
        )


def forget(tx: Connection, user_id: str, client_id: str) -> bool:
    """Remove the consent of this user to this client; False if there was none."""
    return bool(tx.execute(delete(ConsentRow).where(_N.user_id == user_id, _N.client_id == client_id)).rowcount)


def forget_all(tx: Connection, user_id: str) -> None:
    """Remove all consents of this user. Only `revocation` calls this."""
    tx.execute(delete(ConsentRow).where(_N.user_id == user_id))


def list_apps(tx: Connection, user_id: str, now: datetime) -> list[ConnectedApp]:
    """The clients that hold live families of this user or have their consent, ordered by name."""
    used = _select_used(tx.dialect.name, user_id, now).subquery()
    allowed = select(_N.client_id, _N.scope, _N.granted_at).where(_N.user_id == user_id).subquery()
    rows = tx.execute(
        select(
            _C.client_id,
            _C.name,
            allowed.c.scope.label("allowed_scope"),
            used.c.scope.label("used_scope"),
            func.coalesce(allowed.c.granted_at, used.c.since).label("granted_at"),
            used.c.last_used_at,
        )
        .outerjoin(allowed, allowed.c.client_id == _C.client_id)
        .outerjoin(used, used.c.client_id == _C.client_id)
        .where((allowed.c.client_id.is_not(None)) | (used.c.client_id.is_not(None)))
        .order_by(func.lower(_C.name), _C.client_id)
    )
    return [
        ConnectedApp(
            client_id=row.client_id,
            name=row.name,
            scope=_unite(row.allowed_scope, row.used_scope),
            granted_at=row.granted_at,
            last_used_at=row.last_used_at,
        )
        for row in rows
    ]


def _select_used(dialect: str, user_id: str, now: datetime) -> Select[Any]:
    """What the live families of the user say of each client."""
    # A scope token holds no space. Both databases can join strings with a separator, by different functions.
    join = func.group_concat if dialect == "sqlite" else func.string_agg
    return (
        select(
            _F.client_id,
            func.min(_F.created_at).label("since"),
            func.max(_F.rotated_at).label("last_used_at"),
            join(_F.scope, " ").label("scope"),
        )
        .join_from(RefreshTokenFamily, Client, _C.client_id == _F.client_id)
        .where(_F.user_id == user_id, is_live(now), enabled_for_family())
        .group_by(_F.client_id)
    )


def _unite(*scopes: str | None) -> tuple[str, ...]:
    return tuple(sorted({one for scope in scopes for one in (scope or "").split()}))
