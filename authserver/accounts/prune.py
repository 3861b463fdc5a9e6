"""Use cases: removing what is over for good, a little at a time while serving, or all of it when an operator asks.

Over for good is what nobody can use or will ask about: a refresh token is told to be expired or revoked for another
`RETENTION`, and is unknown after that. What lives is never touched.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from authserver.realm import Realm
from authserver.storage import prune
from authserver.storage.prune import BATCH, START

RETENTION: Final = timedelta(days=30)
"""For how long it is remembered how a family or a session ended. Longer than clocks of nodes can disagree, by far."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went, and the place from which the next step goes on; None when it would begin anew."""

    families: int
    sessions: int
    audit_events: int
    place: bytes | None


def prune_some(realm: Realm, place: bytes | None, *, audit_retention: timedelta) -> Pruned:
    """One step, one short transaction. `place` is what the last step returned; None begins with the first family."""
    now = realm.clock.now()
    over_since = now - RETENTION
    with realm.database.write() as tx:
        families = prune.prune_families(tx, START if place is None else place, over_since)
        sessions = prune.prune_sessions(tx, families.sids, over_since)
        audit_events = prune.prune_audit_events(tx, now - audit_retention)
    return Pruned(families.count, sessions, audit_events, families.place)


def prune_all(realm: Realm, *, audit_retention: timedelta) -> Pruned:
    """Step after step until nothing is left to remove. Others are served in between."""
    done = Pruned(0, 0, 0, None)
    while True:
        step = prune_some(realm, done.place, audit_retention=audit_retention)
        done = Pruned(
            done.families + step.families,
            done.sessions + step.sessions,
            done.audit_events + step.audit_events,
            step.place,
        )
        if done.place is None and max(step.sessions, step.audit_events) < BATCH:
            return done
