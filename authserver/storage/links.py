"""Statements on mailed links. A link ends once: it is used, ended by an event, or replaced."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from authserver.credentials.link_pace import Mailed
from authserver.records.link import LinkPurpose, MailLink
from authserver.records.session import Ended
from authserver.storage.picking import pick_free
from authserver.storage.schema import MailLink as LinkRow

_L = LinkRow.__table__.c


_LINK: Select[Any] = select(
    _L.link_id, _L.purpose, _L.user_id, _L.address, _L.sid, _L.mac_kid, _L.issued_at, _L.expires_at
)


def add(tx: Connection, link: MailLink) -> None:
    """Insert `link`."""
    tx.execute(
        insert(LinkRow),
        {
            "link_id": link.link_id,
            "purpose": link.purpose.value,
            "user_id": link.user_id,
            "address": link.address,
            "sid": link.sid,
            "mac_kid": link.mac_kid,
            "issued_at": link.issued_at,
            "expires_at": link.expires_at,
        },
    )


def find(tx: Connection, link_id: bytes) -> MailLink | None:
    """The link, live or not, or None."""
    row = tx.execute(_LINK.where(_L.link_id == link_id)).one_or_none()
    return None if row is None else _decode(row)


def find_live(tx: Connection, link_id: bytes, now: datetime) -> MailLink | None:
    """The link, if it works now."""
    row = tx.execute(_LINK.where(_L.link_id == link_id, _is_live(now))).one_or_none()
    return None if row is None else _decode(row)


def find_end(tx: Connection, link_id: bytes) -> str:
    """Why a link does not work: `used`, `replaced`, the event that ended it, `expired`; `unknown` after pruning."""
    row = tx.execute(select(_L.ended_by).where(_L.link_id == link_id)).one_or_none()
    return "unknown" if row is None else row.ended_by or "expired"


def use(tx: Connection, link_id: bytes, now: datetime) -> bool:
    """Mark the link as used; False if it was used, ended or has expired. This one statement decides races."""
    return bool(
        tx.execute(
            update(LinkRow).where(_L.link_id == link_id, _is_live(now)).values(ended_at=now, ended_by="used")
        ).rowcount
    )


def fix_mac_key(tx: Connection, link_id: bytes, mac_kid: str, *, instead_of: str | None = None) -> None:
    """Set the MAC key that writes this link, unless it is already set.

    `instead_of` is a key that has ended, so that its links are dead: if that key was set, `mac_kid` replaces it.
    """
    settled = _L.mac_kid.is_(None) if instead_of is None else _L.mac_kid == instead_of
    tx.execute(update(LinkRow).where(_L.link_id == link_id, settled).values(mac_kid=mac_kid))


def end_pending(tx: Connection, user_id: str, ended: Ended) -> int:
    """End the user's links that would change credentials; return how many still worked. For `revocation` only."""
    pending = [purpose.value for purpose in LinkPurpose if purpose.is_pending]
    return _end(tx, ended, _L.user_id == user_id, _L.purpose.in_(pending))


def end_since(tx: Connection, user_id: str, since: datetime, ended: Ended) -> int:
    """End all of the user's links issued after `since`; return how many still worked. Only `revocation` calls this."""
    return _end(tx, ended, _L.user_id == user_id, _L.issued_at > since)


def end_purpose(tx: Connection, user_id: str, purpose: LinkPurpose, ended: Ended) -> None:
    """End the user's links of one purpose, because a new one replaces them."""
    _end(tx, ended, _L.user_id == user_id, _L.purpose == purpose.value)


def count_live(tx: Connection, user_id: str, purpose: LinkPurpose, now: datetime) -> int:
    """Count the user's links of this purpose that work now."""
    return _count(tx, _L.user_id == user_id, _L.purpose == purpose.value, _is_live(now))


def list_mailed(tx: Connection, user_id: str, purpose: LinkPurpose, *, since: datetime) -> list[Mailed]:
    """The links of this purpose that were issued to the user after `since`, live or not."""
    rows = tx.execute(
        select(_L.issued_at, _L.expires_at, _L.ended_at).where(
            _L.user_id == user_id, _L.purpose == purpose.value, _L.issued_at > since
        )
    )
    return [Mailed(row.issued_at, None if row.ended_at else row.expires_at) for row in rows]


def find_first_issued(tx: Connection, user_id: str, purposes: Sequence[LinkPurpose], now: datetime) -> datetime | None:
    """When the oldest working link of the user with one of these purposes was issued, or None."""
    wanted = _L.purpose.in_([purpose.value for purpose in purposes])
    first: datetime | None = tx.execute(
        select(func.min(_L.issued_at)).where(_L.user_id == user_id, wanted, _is_live(now))
    ).scalar_one()
    return first


def is_reserved(tx: Connection, address: str, now: datetime, *, but: str | None = None) -> bool:
    """Whether a user other than `but` may still take `address` back; until then nobody can register it."""
    takes_back = [LinkPurpose.REVERT_EMAIL.value, LinkPurpose.NOT_ME.value]
    conditions = [_L.address == address, _L.purpose.in_(takes_back), _is_live(now)]
    if but is not None:
        conditions.append(_L.user_id != but)
    return bool(_count(tx, *conditions))


def prune(tx: Connection, over_since: datetime, *, limit: int) -> int:
    """Remove up to `limit` links that expired before `over_since`; return how many."""
    over = select(_L.link_id).where(_L.expires_at < over_since).limit(limit)
    return tx.execute(delete(LinkRow).where(_L.link_id.in_(pick_free(over)))).rowcount


def _is_live(now: datetime) -> ColumnElement[bool]:
    return _L.ended_at.is_(None) & (_L.expires_at > now)


def _end(tx: Connection, ended: Ended, *where: ColumnElement[bool]) -> int:
    # Expired links are ended, too: another node's clock may be behind this one.
    statement = update(LinkRow).where(*where, _L.ended_at.is_(None)).values(ended_at=ended.at, ended_by=ended.by)
    expiries = tx.execute(statement.returning(_L.expires_at)).scalars()
    return sum(expires_at > ended.at for expires_at in expiries)


def _count(tx: Connection, *where: ColumnElement[bool]) -> int:
    return tx.execute(select(func.count()).select_from(LinkRow).where(*where)).scalar_one()


def _decode(row: Row[Any]) -> MailLink:
    return MailLink(
        link_id=row.link_id,
        purpose=LinkPurpose(row.purpose),
        user_id=row.user_id,
        address=row.address,
        sid=row.sid,
        mac_kid=row.mac_kid,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
    )
