"""Consequence: entries in the revocation feed, for resource servers (contract §5)."""

from collections.abc import Iterator
from dataclasses import replace

from authserver.credentials.policy_row import Mode, Reach
from authserver.credentials.user_change import UserChange
from authserver.protocol.entropy import new_id
from authserver.protocol.revocation_feed import (
    ClientEntry,
    Entry,
    FamilyEntry,
    KeyEntry,
    SessionEntry,
    TokenEntry,
    UserEntry,
)
from authserver.records.pseudonym import pairwise_session, pairwise_subject
from authserver.records.user import User
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
from authserver.storage import Transaction, clients, feed


def publish(tx: Transaction, done: Done, circumstances: Circumstances) -> None:
    """Append the entries of `done` to the feed. Readers see them when the transaction commits.

    Access tokens of pairwise clients carry pseudonyms. So each entry about a user or a session is repeated with the
    pseudonyms that these clients may hold.
    """
    for entry in _list_entries(done, int(circumstances.now.timestamp())):
        for named in (entry, *_list_pseudonymous(tx, done, entry)):
            feed.append(tx, named, new_id(circumstances.entropy))


def _list_pseudonymous(tx: Transaction, done: Done, entry: Entry) -> Iterator[Entry]:
    match entry:
        case UserEntry(sub=user_id):
            for salt in clients.list_salts(tx, of_user=None if _may_leave_no_family(done) else user_id):
                yield replace(entry, sub=pairwise_subject(salt, user_id))
        case SessionEntry(sid=sid):
            for salt in clients.list_salts(tx, of_session=sid):
                yield replace(entry, sid=pairwise_session(salt, sid))
        case _:
            pass


def _may_leave_no_family(done: Done) -> bool:
    """Whether families do not tell which clients hold tokens: they are deleted with their user.

    And a lock may last until they are pruned, but has to be lifted wherever it was told.
    """
    change = done.event.change() if isinstance(done, EventApplied) else UserChange()
    return change.deleted or change.locked is not None


def _list_entries(done: Done, at: int) -> Iterator[Entry]:
    match done:
        case EventApplied():
            yield from _list_event(done, at)
        case SessionReplaced(ended=sids):
            yield from (SessionEntry(sid, soft_logout=False, at=at) for sid in sids)
        case FamilyEnded(family=family):
            yield FamilyEntry(family.granted.fam, at)
        case TokenRevoked(claims=claims):
            yield TokenEntry(claims.jti, at)
        case ClientEnabled(client_id=client_id, dead_fams=fams):
            yield from (FamilyEntry(fam, at) for fam in fams)
            # Last, because readers apply entries in this order: no old token may pass in between.
            yield ClientEntry(client_id, disabled=False, rev=0, at=at)
        case RetriedLate() | ClientDeleted():
            pass  # no access token becomes invalid


def _list_event(done: EventApplied, at: int) -> Iterator[Entry]:
    if done.user is not None:
        yield from _list_user(done, done.user, at)
    for sid in done.loss.sids:
        yield SessionEntry(sid, soft_logout=done.ruling.mode is Mode.SOFT, at=at)
    for sid in done.loss.renewed:
        yield SessionEntry(sid, soft_logout=True, at=at)
    subject = done.event.subject()
    if subject.client_id is not None:
        yield ClientEntry(subject.client_id, disabled=True, rev=0, at=at)
    if subject.kid is not None:
        yield KeyEntry(subject.kid, at)


def _list_user(done: EventApplied, user: User, at: int) -> Iterator[Entry]:
    """List the user's lowest valid token version and their lock, if the event changes one of them.

    A stale token is refused with `soft_logout: true`, unless all sessions of the user ended hard: its session may still
    be live, and then one refresh gives a valid token. Each session that ended hard has an entry of its own.
    """
    change, version = done.event.change(), done.receipt.token_version
    if version is None or (not done.ruling.bump and change.locked is None):
        return
    locked = user.locked if change.locked is None else change.locked
    yield UserEntry(
        sub=user.user_id,
        token_version=version,
        locked=locked,
        soft_logout=locked or done.ruling.reach is not Reach.ALL or done.ruling.mode is Mode.SOFT,
        rev=0,
        at=at,
    )
