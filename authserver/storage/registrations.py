"""Statements on pending registrations: what a person typed, beside the link that will prove the address.

Each row is one link. A further mail about a registration copies its row under a new link, so that no mail invalidates
the link of an earlier one. Using any link removes all rows of its address.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from authserver.credentials.link_pace import Mailed
from authserver.records.registration import PendingRegistration
from authserver.storage.picking import pick_free
from authserver.storage.schema import PendingRegistration as RegistrationRow

_R = RegistrationRow.__table__.c


_COLUMNS = tuple(PendingRegistration.__slots__)
_REGISTRATION: Select[Any] = select(*(_R[name] for name in _COLUMNS))


def add(tx: Connection, registration: PendingRegistration) -> None:
    """Insert `registration`."""
    tx.execute(insert(RegistrationRow), {name: getattr(registration, name) for name in _COLUMNS})


def find_live(tx: Connection, link_id: bytes, now: datetime) -> PendingRegistration | None:
    """The registration of this link, if the link works now, or None."""
    row = tx.execute(_REGISTRATION.where(_R.link_id == link_id, _R.expires_at > now)).one_or_none()
    return None if row is None else _decode(row)


def find_newest_hash(tx: Connection, address: str, now: datetime) -> str | None:
    """The password hash of the newest registration of `address` that is kept, or None."""
    kept = select(_R.password_hash).where(_R.address == address, _R.kept_until > now)
    password_hash: str | None = tx.execute(kept.order_by(_R.asked_at.desc()).limit(1)).scalar_one_or_none()
    return password_hash


def list_kept(tx: Connection, address: str, now: datetime) -> list[PendingRegistration]:
    """The kept registrations of `address`, each once with its newest link; the newest registration first."""
    kept = _REGISTRATION.where(_R.address == address, _R.kept_until > now)
    newest: dict[str, PendingRegistration] = {}
    for row in tx.execute(kept.order_by(_R.asked_at.desc(), _R.issued_at.desc())):
        registration = _decode(row)
        newest.setdefault(registration.registration_id, registration)
    return list(newest.values())


def list_mailed(tx: Connection, address: str, *, since: datetime) -> list[Mailed]:
    """The links that were issued to `address` after `since`, live or not."""
    issued = select(_R.issued_at, _R.expires_at).where(_R.address == address, _R.issued_at > since)
    return [Mailed(row.issued_at, row.expires_at) for row in tx.execute(issued)]


def lock_all(tx: Connection, address: str) -> None:
    """Lock all rows of `address` in a fixed order, so that two uses of its links do not deadlock."""
    tx.execute(select(_R.link_id).where(_R.address == address).order_by(_R.link_id).with_for_update()).all()


def forget_all(tx: Connection, address: str) -> None:
    """Remove all registrations of `address`: one of their links was used."""
    tx.execute(delete(RegistrationRow).where(_R.address == address))


def end(tx: Connection, registration_ids: Sequence[str], now: datetime) -> None:
    """End these registrations with all their links.

    Their rows stay, without the typed data, as long as they count against the number of mails to the address.
    """
    nothing = {"name": "", "password_hash": "", "kept_until": now, "expires_at": now}
    tx.execute(update(RegistrationRow).where(_R.registration_id.in_(registration_ids)).values(**nothing))


def fix_mac_key(tx: Connection, link_id: bytes, mac_kid: str, *, instead_of: str | None = None) -> None:
    """Set the MAC key that writes this link, if none is set; with `instead_of`, if that key is set."""
    settled = _R.mac_kid.is_(None) if instead_of is None else _R.mac_kid == instead_of
    tx.execute(update(RegistrationRow).where(_R.link_id == link_id, settled).values(mac_kid=mac_kid))


def prune(tx: Connection, over_since: datetime, *, limit: int) -> int:
    """Remove up to `limit` rows whose time of keeping ended before `over_since`; return how many."""
    over = select(_R.link_id).where(_R.kept_until < over_since).limit(limit)
    return tx.execute(delete(RegistrationRow).where(_R.link_id.in_(pick_free(over)))).rowcount


def _decode(row: Row[Any]) -> PendingRegistration:
    return PendingRegistration(**row._asdict())
