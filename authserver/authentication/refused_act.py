"""The record of an act that was refused, in a transaction of its own, because nothing else was done.

Where a door counts tries before the act, every refusal is one record. Where none does, because no password can be
guessed there, `record_refused` keeps whoever tries again and again from filling the table: about one user, and about
nobody, an hour has `MOST` records of a name. The log hears of the others.
"""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from authserver.authentication.asker import Asker
from authserver.protocol.audit_name import AuditName
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.storage import audit

MOST = 100
SPAN = timedelta(hours=1)

NOBODY = "nobody"
"""The actor of a request that proved nothing about who sends it."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RefusedAct:
    """What somebody wanted and did not get.

    Attributes:
        name: under what it is recorded.
        act: the use case.
        reason: precise, one of the words of docs/audit.md; never what somebody typed.
        user_id: whom it was about, if anybody; likewise `sid` and `client_id`.
    """

    name: AuditName
    act: str
    reason: str
    user_id: str | None = None
    sid: str | None = None
    client_id: str | None = None

    @classmethod
    def of(cls, asker: Asker, name: AuditName, act: str, reason: str) -> "RefusedAct":
        """What a user wanted for himself."""
        return cls(name, act, reason, asker.user_id, asker.sid, asker.client_id)


def write_refused(realm: Realm, refused: RefusedAct, by: Actor) -> None:
    """Record `refused`. The door counted the try."""
    with realm.database.write() as tx:
        audit.write(
            tx,
            refused.name,
            by=by,
            now=realm.clock.now(),
            entropy=realm.entropy,
            outcome="failure",
            user_id=refused.user_id,
            sid=refused.sid,
            client_id=refused.client_id,
            detail={"act": refused.act, "reason": refused.reason},
        )


def record_refused(realm: Realm, refused: RefusedAct, by: Actor) -> None:
    """Record `refused`, unless there are too many of its kind already."""
    since = realm.clock.now() - SPAN
    with realm.database.read() as tx:
        recorded = audit.count_since(tx, refused.name, refused.user_id, since, most=MOST)
    if recorded < MOST:
        write_refused(realm, refused, by)
    else:
        _log.warning("refusal_not_recorded", name=refused.name.value, act=refused.act, reason=refused.reason, ip=by.ip)
