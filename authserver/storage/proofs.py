"""Statements on DPoP proofs that were used. A proof is stored by its digest, and only until it expires by itself."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, LargeBinary, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from authserver.storage.database import CompiledStatement, Database
from authserver.storage.instants import to_micros
from authserver.storage.picking import pick_free
from authserver.storage.schema import UsedProof

BATCH: Final = 10_000
"""Rows removed per step of pruning. Each is worth one request, so there can be many; a step takes some 30 ms."""

_P = UsedProof.__table__.c
_INSERT: Final[Mapping[str, Callable[[type[UsedProof]], Any]]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


class UsedProofs:
    """Remembers proofs for all nodes: of the same proof, however often and wherever it is shown, one use counts."""

    def __init__(self, database: Database) -> None:
        """Bind to `database`; nothing is compiled or connected yet."""
        self._database = database
        self._use: CompiledStatement | None = None

    def use(self, digest: bytes, expires_at: datetime) -> bool:
        """Remember the proof until `expires_at`; False if it was used before. One statement, in autocommit."""
        if self._use is None:
            values = {
                "proof_digest": bindparam("digest", type_=LargeBinary),
                "expires_at": bindparam("end", type_=BigInteger),
            }
            insert = _INSERT[self._database.dialect](UsedProof).values(**values)
            self._use = self._database.compile(insert.on_conflict_do_nothing().returning(_P.proof_digest))
        return self._use.execute(digest=digest, end=to_micros(expires_at)) is not None


def prune(tx: Connection, expired_before: datetime, *, limit: int = BATCH) -> int:
    """Remove up to `limit` proofs that expired before `expired_before`; return how many."""
    old = select(_P.proof_digest).where(_P.expires_at < expired_before).limit(limit)
    return tx.execute(delete(UsedProof).where(_P.proof_digest.in_(pick_free(old)))).rowcount
