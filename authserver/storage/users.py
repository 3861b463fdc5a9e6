"""Statements on users. Only `revocation` calls the writers of hashes, roles, states and versions."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from authserver.credentials.user_change import UserChange
from authserver.records.user import Credentials, NewUser, Profile, Standing, User
from authserver.storage import links
from authserver.storage.schema import User as UserRow

_U = UserRow.__table__.c


class AddressTakenError(Exception):
    """Another user has this address, or may still take it back. The transaction must be rolled back."""


_USER: Select[Any] = select(
    _U.user_id,
    _U.email,
    _U.email_verified,
    _U.name,
    _U.roles,
    _U.locked_at,
    _U.disabled_at,
    _U.token_version,
    _U.credential_version,
    _U.created_at,
    _U.password_changed_at,
    _U.phone_number,
    _U.address,
    _U.profile_changed_at,
    _U.given_name,
    _U.family_name,
)
# Built once: building a statement takes several times as long as executing it.
_BY_ID = _USER.where(_U.user_id == bindparam("user_id"))
_BY_EMAIL = _USER.where(_U.email == bindparam("email"))
_LOCKING = _BY_ID.with_for_update(key_share=True)
_CREDENTIALS = _BY_EMAIL.add_columns(_U.password_hash)
_CREDENTIALS_BY_ID = _BY_ID.add_columns(_U.password_hash)
_NEXT_ID = select(_U.user_id).where(_U.user_id >= bindparam("user_id")).order_by(_U.user_id).limit(1).scalar_subquery()
_LEAST_ID = select(func.min(_U.user_id)).scalar_subquery()
_HASH_NEAR = select(_U.password_hash).where(_U.user_id == func.coalesce(_NEXT_ID, _LEAST_ID))


def find(tx: Connection, user_id: str) -> User | None:
    """The user with this id, or None."""
    return _decode_or_none(tx.execute(_BY_ID, {"user_id": user_id}).one_or_none())


def load(tx: Connection, user_id: str) -> User:
    """The user with this id, who was already found in this transaction."""
    return _decode(tx.execute(_BY_ID, {"user_id": user_id}).one())


def find_by_email(tx: Connection, email: str) -> User | None:
    """The user with this canonical address, or None."""
    return _decode_or_none(tx.execute(_BY_EMAIL, {"email": email}).one_or_none())


def find_credentials(tx: Connection, email: str) -> Credentials | None:
    """The user with this canonical address, with the stored password hash, or None."""
    row = tx.execute(_CREDENTIALS, {"email": email}).one_or_none()
    return None if row is None else Credentials(_decode(row), row.password_hash)


def lock(tx: Connection, user_id: str) -> User | None:
    """Lock the user's row: until this transaction ends, no other writes it or begins a session for the user."""
    return _decode_or_none(tx.execute(_LOCKING, {"user_id": user_id}).one_or_none())


def find_credentials_by_id(tx: Connection, user_id: str) -> Credentials | None:
    """The user with this id, with the stored password hash, or None."""
    row = tx.execute(_CREDENTIALS_BY_ID, {"user_id": user_id}).one_or_none()
    return None if row is None else Credentials(_decode(row), row.password_hash)


def find_hash_near(tx: Connection, user_id: str) -> str | None:
    """The password hash of the user with this id or the next id (after the last, the first); None if there is none.

    Ids are random, so a random `user_id` finds each user with about equal probability.
    """
    stored: str | None = tx.execute(_HASH_NEAR, {"user_id": user_id}).scalar_one_or_none()
    return stored


def list_page(tx: Connection, *, after: str, limit: int) -> list[User]:
    """List up to `limit` users whose address sorts after `after`, in the order of addresses."""
    return [_decode(row) for row in tx.execute(_USER.where(_U.email > after).order_by(_U.email).limit(limit))]


def add(tx: Connection, user: NewUser, now: datetime) -> bool:
    """Insert `user`; False if another user has the address, or may still take it back."""
    try:
        with tx.begin_nested():
            tx.execute(
                insert(UserRow),
                {
                    "user_id": user.user_id,
                    "email": user.email,
                    "email_verified": user.email_verified,
                    "name": user.name,
                    "password_hash": user.password_hash,
                    "password_changed_at": None if user.password_hash is None else now,
                    "roles": " ".join(user.roles),
                    "token_version": 1,
                    "credential_version": 1,
                    "created_at": now,
                },
            )
            _refuse_reserved(tx, user.user_id, user.email, now)
    except (IntegrityError, AddressTakenError):
        return False
    return True


def _refuse_reserved(tx: Connection, user_id: str, email: str, now: datetime) -> None:
    """Raise `AddressTakenError` if another user may still take `email` back.

    Call this after `email` was written, never before. A transaction that gives an address up holds its place in the
    unique index until it commits. So the write waits for that commit, and this statement then sees the link that takes
    the address back.
    """
    if links.is_reserved(tx, email, now, but=user_id):
        raise AddressTakenError


def write_change(tx: Connection, user_id: str, change: UserChange, *, raise_credentials: bool, now: datetime) -> None:
    """Write the changes of an event, or raise `AddressTakenError`. Only `revocation` calls this.

    `raise_credentials` makes the sign-ins in progress fail, because they have verified old credentials.
    """
    if change.deleted:
        tx.execute(delete(UserRow).where(_U.user_id == user_id))
        return
    values = _values(change, now)
    if raise_credentials:
        values["credential_version"] = _U.credential_version + 1
    if not values:
        return
    statement = update(UserRow).where(_U.user_id == user_id)
    if change.replaces is not None:
        statement = statement.where(_U.password_hash == change.replaces)
    try:
        tx.execute(statement.values(**values))
    except IntegrityError as error:
        raise AddressTakenError from error
    if change.email is not None:
        _refuse_reserved(tx, user_id, change.email, now)


def _values(change: UserChange, now: datetime) -> dict[str, Any]:
    """The columns that `change` sets."""
    values: dict[str, Any] = {}
    if change.password_hash is not None:
        values["password_hash"] = change.password_hash
        if change.replaces is None:
            values["password_changed_at"] = now
    if change.forget_password:
        values["password_hash"] = None
    if change.email is not None:
        values |= {"email": change.email, "email_verified": True, "profile_changed_at": now}
    if change.forget_profile:
        values |= {field.name: "" for field in fields(Profile)}
    if change.roles is not None:
        values["roles"] = " ".join(change.roles)
    if change.locked is not None:
        values["locked_at"] = now if change.locked else None
    if change.disabled is not None:
        values["disabled_at"] = now if change.disabled else None
    return values


def write_profile(tx: Connection, user_id: str, profile: Profile, now: datetime) -> None:
    """Store the members of `profile` that are not None."""
    values = {name: value for name, value in asdict(profile).items() if value is not None}
    tx.execute(update(UserRow).where(_U.user_id == user_id).values(**values, profile_changed_at=now))


def load_token_version(tx: Connection, user_id: str) -> int | None:
    """The lowest token version that is accepted; None for a user who does not exist."""
    version: int | None = tx.execute(select(_U.token_version).where(_U.user_id == user_id)).scalar_one_or_none()
    return version


def raise_token_version(tx: Connection, user_id: str) -> int | None:
    """Invalidate all access tokens issued so far; return the lowest version that is still accepted."""
    version: int | None = tx.execute(
        update(UserRow)
        .where(_U.user_id == user_id)
        .values(token_version=_U.token_version + 1)
        .returning(_U.token_version)
    ).scalar_one_or_none()
    return version


def _decode_or_none(row: Row[Any] | None) -> User | None:
    return None if row is None else _decode(row)


def _decode(row: Row[Any]) -> User:
    return User(
        user_id=row.user_id,
        email=row.email,
        email_verified=row.email_verified,
        name=row.name,
        roles=tuple(row.roles.split()),
        standing=Standing.of(row.locked_at, row.disabled_at),
        token_version=row.token_version,
        credential_version=row.credential_version,
        created_at=row.created_at,
        password_changed_at=row.password_changed_at,
        phone_number=row.phone_number,
        address=row.address,
        profile_changed_at=row.profile_changed_at,
        given_name=row.given_name,
        family_name=row.family_name,
        locked=row.locked_at is not None,
    )
