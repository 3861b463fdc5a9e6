"""Use cases: removing what is over for good, a little at a time while serving, or all of it when an operator asks.

Over for good is what nobody can use or will ask about: a refresh token is told to be expired or revoked for a while
after its end, and is unknown then. What lives is never touched. Nothing goes by a clock that is doubted. These need no
`Realm`: rows go without any key.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import final

from authserver.storage import Database, codes, deliveries, links, nodes, prune, registrations
from authserver.storage.prune import BATCH, START
from authserver.trusted_time import Trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long things are kept after they are over.

    Attributes:
        audit: audit events, from when they were written.
        ends: ended and expired families, sessions and links. By far longer than the clocks of two nodes can disagree.
        outbox: deliveries, from when they were due last. Longer than any pause between attempts, and than links work,
            so such a delivery was queued where no process works on the outbox.
        registrations: those that wait no longer, for as long as they count against the mails to their address.
        codes: authorization codes, used or not: for as long a second use is noticed (RFC 9700 §4.2.4).
    """

    audit: timedelta
    ends: timedelta = timedelta(days=30)
    outbox: timedelta = timedelta(days=7)
    codes: timedelta = timedelta(days=1)
    registrations: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went, and the place from which the next step goes on; None when it would begin anew."""

    families: int
    sessions: int
    audit_events: int
    place: bytes | None
    links: int = 0
    mails: int = 0
    codes: int = 0
    registrations: int = 0


@final
class Pruning:
    """Step after step, round and round: what a server does while it serves. One thread at a time."""

    __slots__ = ("_database", "_place", "_retention")

    def __init__(self, database: Database, retention: Retention) -> None:
        """Begin with the first family."""
        self._database = database
        self._retention = retention
        self._place: bytes | None = None

    def prune_a_little(self, at: Trusted) -> Pruned:
        """One step, from where the last one stopped."""
        step = prune_a_little(self._database, at, self._retention, self._place)
        self._place = step.place
        return step


def prune_a_little(database: Database, at: Trusted, retention: Retention, place: bytes | None = None) -> Pruned:
    """One step, one short transaction. `place` is what the last step returned; None begins with the first family."""
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
        nodes.prune(tx, now)
    return Pruned(families.count, sessions, audit_events, families.place, old_links, mails, old_codes, waiting)


def prune_all(database: Database, at: Trusted, retention: Retention) -> Pruned:
    """Step after step until nothing is left to remove. Others are served in between."""
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
        )
        others = (step.sessions, step.audit_events, step.links, step.mails, step.codes, step.registrations)
        if done.place is None and max(others) < BATCH:
            return done
