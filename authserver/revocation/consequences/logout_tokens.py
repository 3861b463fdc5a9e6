"""Clients are told that a session of their user has ended (OpenID Connect Back-Channel Logout 1.0)."""

from collections.abc import Sequence
from typing import Final

from authserver.protocol.audit_name import AuditName
from authserver.protocol.entropy import new_id
from authserver.records.audit import SERVER
from authserver.records.client_session import ClientSession
from authserver.records.delivery import Delivery, Rank
from authserver.records.queued_logout import LOGOUT, QueuedLogout
from authserver.revocation.done import (
    Circumstances,
    ClientDeleted,
    ClientEnabled,
    Done,
    EventApplied,
    FamilyEnded,
    RetriedLate,
    SessionReplaced,
    TokenRevoked,
)
from authserver.storage import Transaction, audit, deliveries

MOST_WAITING: Final = 10_000
"""Logout tokens that wait for one client. One more takes the place of the one that was queued first."""


def queue_logout_tokens(tx: Transaction, done: Done, circumstances: Circumstances) -> None:
    """Queue one logout token for each client that knows of a session that ended, and is signed in there no more."""
    ended = _list_ended(done)
    for session in ended:
        queued = QueuedLogout(new_id(circumstances.entropy), session)
        deliveries.queue(tx, queued.as_delivery(), circumstances.now, rank=Rank.URGENT)
    for client_id in dict.fromkeys(session.client_id for session in ended):
        for excess in deliveries.take_out_excess(tx, LOGOUT, client_id, most=MOST_WAITING):
            _record_given_up(tx, excess, circumstances)


def _list_ended(done: Done) -> Sequence[ClientSession]:
    match done:
        case EventApplied(loss=loss):
            return loss.client_sessions
        case SessionReplaced(client_sessions=ended) | FamilyEnded(client_sessions=ended):
            return ended
        case RetriedLate() | TokenRevoked() | ClientEnabled() | ClientDeleted():
            return ()  # nobody was signed out


def _record_given_up(tx: Transaction, delivery: Delivery, circumstances: Circumstances) -> None:
    audit.write(
        tx,
        AuditName.LOGOUT_GIVEN_UP,
        by=SERVER,
        now=circumstances.now,
        entropy=circumstances.entropy,
        outcome="failure",
        user_id=delivery.payload.get("user_id"),
        sid=delivery.payload.get("sid"),
        client_id=delivery.target,
        detail={
            "client_id": delivery.target,
            "jti": delivery.delivery_id,
            "attempts": delivery.attempts,
            "reason": f"{MOST_WAITING} wait for the client",
        },
    )
