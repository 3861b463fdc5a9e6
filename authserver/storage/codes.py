"""Statements on authorization codes. Only the digest of a code is stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from authserver.records.authorization_code import AuthorizationCode, CodeUse
from authserver.storage.picking import pick_free
from authserver.storage.schema import AuthorizationCode as CodeRow

_K = CodeRow.__table__.c


def add(tx: Connection, code: AuthorizationCode) -> None:
    """Insert `code`, unused. The caller holds the user's row."""
    tx.execute(
        insert(CodeRow),
        {
            "code_digest": code.code_digest,
            "request_id": code.request_id,
            "user_id": code.user_id,
            "sid": code.sid,
            "client_id": code.client_id,
            "client_family_version": code.client_family_version,
            "redirect_uri": code.redirect_uri,
            "code_challenge": code.code_challenge or "",
            "scope": code.scope,
            "audience": " ".join(code.audience),
            "nonce": code.nonce,
            "auth_time": code.auth_time,
            "amr": " ".join(code.amr),
            "acr": code.acr,
            "created_at": code.created_at,
            "expires_at": code.expires_at,
            "id_token_claims": " ".join(sorted(code.id_token_claims)),
            "dpop_jkt": code.dpop_jkt,
        },
    )


def find(tx: Connection, code_digest: bytes) -> AuthorizationCode | None:
    """The code with this digest, used or not, or None."""
    row = tx.execute(select(CodeRow.__table__).where(_K.code_digest == code_digest)).one_or_none()
    return None if row is None else _decode(row)


def take_back(tx: Connection, request_id: str) -> bool:
    """Delete the code that answers this request, so that another one can; False if it was already used.

    The caller holds the user's row.
    """
    tx.execute(delete(CodeRow).where(_K.request_id == request_id, _K.used_at.is_(None)))
    return tx.execute(select(_K.code_digest).where(_K.request_id == request_id)).first() is None


def use(tx: Connection, code_digest: bytes, use: CodeUse) -> bool:
    """Mark the code as used; False if it already was. Of concurrent callers, exactly one gets True."""
    return bool(
        tx.execute(
            update(CodeRow)
            .where(_K.code_digest == code_digest, _K.used_at.is_(None))
            .values(used_at=use.at, fam=use.fam)
        ).rowcount
    )


def end_unused(tx: Connection, user_id: str, sids: Sequence[str] | None = None, *, client_id: str | None = None) -> int:
    """Delete unused codes of the user: all, or those of the sessions `sids` or of a client; return how many.

    Only `revocation` calls this.
    """
    which = [_K.user_id == user_id, _K.used_at.is_(None)]
    if sids is not None:
        which.append(_K.sid.in_(sids))
    if client_id is not None:
        which.append(_K.client_id == client_id)
    return tx.execute(delete(CodeRow).where(*which)).rowcount


def prune(tx: Connection, expired_before: datetime, *, limit: int) -> int:
    """Remove up to `limit` codes that expired before `expired_before`, used or not; return how many."""
    old = select(_K.code_digest).where(_K.expires_at < expired_before).order_by(_K.expires_at).limit(limit)
    return tx.execute(delete(CodeRow).where(_K.code_digest.in_(pick_free(old)))).rowcount


def _decode(row: Row[Any]) -> AuthorizationCode:
    return AuthorizationCode(
        code_digest=row.code_digest,
        request_id=row.request_id or "",  # an earlier release did not store it
        user_id=row.user_id,
        sid=row.sid,
        client_id=row.client_id,
        client_family_version=row.client_family_version,
        redirect_uri=row.redirect_uri,
        code_challenge=row.code_challenge or None,
        scope=row.scope,
        audience=tuple(row.audience.split()),
        nonce=row.nonce,
        auth_time=row.auth_time,
        amr=tuple(row.amr.split()),
        acr=row.acr,
        created_at=row.created_at,
        expires_at=row.expires_at,
        id_token_claims=frozenset(row.id_token_claims.split()),
        use=None if row.used_at is None else CodeUse(row.used_at, row.fam),
        dpop_jkt=row.dpop_jkt,
    )
