"""Statements on signing and MAC keys."""

from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, text, update

from authserver.keyring.errors import BrokenKeyError
from authserver.keyring.key_set import KeySet
from authserver.keyring.keys import KeyState, Purpose, StoredKey
from authserver.storage.schema import Key

_K = Key.__table__.c
_KEYS: Select[Any] = select(Key.__table__).order_by(_K.created_at, _K.kid)


def lock(tx: Connection) -> None:
    """Lock the keys table until this transaction ends. Read the keys after this call, not before.

    Row locks would not be enough: they neither prevent inserts nor show rows inserted meanwhile, so two rotations at
    once would each publish a next key. On SQLite, the database is already locked.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(text("LOCK TABLE keys IN SHARE ROW EXCLUSIVE MODE"))


def load_all(tx: Connection) -> KeySet:
    """All keys, oldest first. An impossible row raises `BrokenKeyError`."""
    return KeySet(tuple(_decode(row) for row in tx.execute(_KEYS)))


def add(tx: Connection, key: StoredKey) -> None:
    """Insert `key`."""
    tx.execute(insert(Key), {"kid": key.kid, **_encode(key)})


def replace(tx: Connection, key: StoredKey, *, was: StoredKey) -> None:
    """Replace `was` by `key`; `BrokenKeyError`, and no change, if the row is not equal to `was`."""
    changed = tx.execute(
        update(Key)
        .where(_K.kid == was.kid, _K.state == was.state.value, _K.sealed.is_not_distinct_from(was.sealed))
        .values(_encode(key))
    )
    if changed.rowcount != 1:
        raise BrokenKeyError(f"key {was.kid} is not what it was")


def _encode(key: StoredKey) -> dict[str, object]:
    return {
        "purpose": key.purpose.value,
        "algorithm": key.algorithm,
        "state": key.state.value,
        "public_jwk": key.public_jwk,
        "sealed": key.sealed,
        "created_at": key.created_at,
        "published_at": key.published_at,
        "activated_at": key.activated_at,
        "retiring_at": key.retiring_at,
        "retires_at": key.retires_at,
        "retired_at": key.retired_at,
        "compromised_at": key.compromised_at,
    }


def _decode(row: Row[Any]) -> StoredKey:
    try:
        return StoredKey(
            kid=row.kid,
            purpose=Purpose(row.purpose),
            algorithm=row.algorithm,
            state=KeyState(row.state),
            public_jwk=row.public_jwk,
            sealed=row.sealed,
            created_at=row.created_at,
            published_at=row.published_at,
            activated_at=row.activated_at,
            retiring_at=row.retiring_at,
            retires_at=row.retires_at,
            retired_at=row.retired_at,
            compromised_at=row.compromised_at,
        )
    except ValueError as error:
        raise BrokenKeyError(f"key {row.kid}: {error}") from None
