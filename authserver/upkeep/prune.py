"""Use cases: deleting rows that nobody needs any more, in small steps while serving, or all when an operator asks.

A row is kept for a while after its end, so that the answer about a refresh token can still be "expired" or "revoked";
afterwards the token is unknown. Nothing live is ever deleted, and nothing while the clock is doubted. The use cases
take no `Realm`, because deleting needs no key.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import final

from authserver.storage import (
    Database,
    codes,
    deliveries,
    device_authorizations,
    links,
    nodes,
    proofs,
    prune,
    pushed_requests,
    registrations,
    used_assertions,
)
from authserver.storage.prune import BATCH, START
from authserver.trusted_time import Trusted

_ASSERTIONS_AT_ONCE = 10 * BATCH  # each request of a client with a key of its own leaves a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long each kind of row is kept after its end.

    Attributes:
        audit: audit events, counted from when they were written.
        ends: ended and expired families, sessions and links. Far longer than the clocks of two nodes can differ.
        outbox: deliveries, counted from when they were last due. It is longer than any pause between attempts, and
            longer than links are valid. So only deliveries that no process works on reach this age.
        requests: pushed requests, until their interaction is over, and requests of devices. Until then a device that
            polls is told that its code has expired.
        unopened: pushed requests that no browser opened. Longer than the clocks of two nodes can differ.
        assertions: used client assertions, counted from when they expired. Longer than clocks of nodes differ.
        registrations: registrations that wait no longer. Until then they count against the mails to their address.
        codes: authorization codes, used or not. Until then a second use is noticed (RFC 9700 §4.2.4).
        proofs: used DPoP proofs, counted from when they expired. Longer than the clocks of two nodes can differ.
    """

    audit: timedelta
    ends: timedelta = timedelta(days=30)
    outbox: timedelta = timedelta(days=7)
    codes: timedelta = timedelta(days=1)
    registrations: timedelta = timedelta(days=1)
    proofs: timedelta = timedelta(minutes=1)
    requests: timedelta = timedelta(hours=1)
    unopened: timedelta = timedelta(minutes=5)
    assertions: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows were deleted, and the `place` where the next step continues; None if it starts over."""

    families: int
    sessions: int
    audit_events: int
    place: bytes | None
    links: int = 0
    mails: int = 0
    codes: int = 0
    registrations: int = 0
    requests: int = 0
    proofs: int = 0
    assertions: int = 0


@final
class Pruning:
    """Endless pruning in small steps, as a server does it while serving. Use it from one thread at a time."""

    __slots__ = ("_database", "_place", "_retention")

    def __init__(self, database: Database, retention: Retention) -> None:
        """Start at the first family."""
        self._database = database
        self._retention = retention
        self._place: bytes | None = None

    def prune_a_little(self, at: Trusted) -> Pruned:
        """Run one step from where the last one stopped."""
        step = prune_a_little(self._database, at, self._retention, self._place)
        self._place = step.place
        return step


def prune_a_little(database: Database, at: Trusted, retention: Retention, place: bytes | None = None) -> Pruned:
    """Run one step in one short transaction. `place` is that of the last `Pruned`; None starts at the first family."""
    now = at.now
    over_since = now - retention.ends
    with database.write() as tx:
        families = prune.prune_families(tx, START if place is None else place, over_since)
        sessions = prune.prune_sessions(tx, families.sids, over_since)
        audit_events = prune.prune_audit_events(tx, now - retention.audit)
        old_links = links.prune(tx, over_since, limit=BATCH)
        mails = deliveries.prune(tx, now - retention.outbox, limit=BATCH)
        old_codes = codes.prune(tx, now - retention.codes, limit=BATCH)
        waiting = registrations.prune(tx, now - retention.registrations, limit=BATCH)
        requests = pushed_requests.prune(tx, now - retention.requests, now - retention.unopened, limit=BATCH)
        requests += device_authorizations.prune(tx, now - retention.requests, limit=BATCH)
        used_proofs = proofs.prune(tx, now - retention.proofs)
        used = used_assertions.prune(tx, now - retention.assertions, limit=_ASSERTIONS_AT_ONCE)
        nodes.prune(tx, now)
    counts = (old_links, mails, old_codes, waiting, requests, used_proofs, used)
    return Pruned(families.count, sessions, audit_events, families.place, *counts)


def prune_all(database: Database, at: Trusted, retention: Retention) -> Pruned:
    """Run steps until nothing is left to delete. Between them the database serves other transactions."""
    done = Pruned(0, 0, 0, None)
    while True:
        step = prune_a_little(database, at, retention, done.place)
        done = Pruned(
            done.families + step.families,
            done.sessions + step.sessions,
            done.audit_events + step.audit_events,
            step.place,
            done.links + step.links,
            done.mails + step.mails,
            done.codes + step.codes,
            done.registrations + step.registrations,
            done.requests + step.requests,
            done.proofs + step.proofs,
            done.assertions + step.assertions,
        )
        others = (
            step.sessions,
            step.audit_events,
            step.links,
            step.mails,
            step.codes,
            step.registrations,
            step.requests,
            step.proofs,
        )
        if done.place is None and max(others) < BATCH and step.assertions < _ASSERTIONS_AT_ONCE:
            return done
