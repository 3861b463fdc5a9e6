"""What resource servers are told of a credential event (contract §5)."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from authserver.credentials.events import CredentialEvent
from authserver.credentials.policy_row import Mode, PolicyRow, Reach
from authserver.protocol.revocation_feed import ClientEntry, Entry, KeyEntry, SessionEntry, UserEntry
from authserver.records.user import User


def tell_user(
    event: CredentialEvent, ruling: PolicyRow, user: User, token_version: int | None, now: datetime
) -> Iterator[Entry]:
    """The user's lowest valid version and whether he is locked, where the event changes one of them.

    A stale token says `soft_logout: true` unless everything of the user ended hard: its session may live, and then one
    refresh heals it. Sessions that did end hard are named by entries of their own.
    """
    change = event.change()
    if token_version is None or (not ruling.bump and change.locked is None):
        return
    locked = user.locked if change.locked is None else change.locked
    yield UserEntry(
        sub=user.user_id,
        token_version=token_version,
        locked=locked,
        soft_logout=locked or ruling.reach is not Reach.ALL or ruling.mode is Mode.SOFT,
        rev=0,
        at=int(now.timestamp()),
    )


def tell_ended(sids: Sequence[str], renewed: Sequence[str], *, soft_logout: bool, now: datetime) -> Iterator[Entry]:
    """The sessions that ended, and the old id of the one that was renewed."""
    for sid in sids:
        yield SessionEntry(sid, soft_logout, int(now.timestamp()))
    for sid in renewed:
        yield SessionEntry(sid, soft_logout=True, at=int(now.timestamp()))


def tell_subject(client_id: str | None, kid: str | None, now: datetime) -> Iterator[Entry]:
    """The client that was disabled, the key that was compromised."""
    if client_id is not None:
        yield ClientEntry(client_id, disabled=True, rev=0, at=int(now.timestamp()))
    if kid is not None:
        yield KeyEntry(kid, int(now.timestamp()))
