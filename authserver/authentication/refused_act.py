"""Records refused acts, each in a transaction of its own, because the act itself wrote nothing.

If a door limits tries before the act, `write_refused` records every refusal. Other doors have no such limit, because no
password can be guessed there. For them, `record_refused` keeps repeated tries from filling the table: it writes at most
`MOST` records an hour of one name for one user, and as many for requests without a user. The log has the others.
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
"""The actor of a request that is not authenticated."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RefusedAct:
    """A refused act.

    Attributes:
        name: the name of the audit record.
        act: the use case.
        reason: the precise reason, one of the words in docs/audit.md; never a text that somebody typed.
        user_id: the user whom the act was about, if any; likewise `sid` and `client_id`.
    """

    name: AuditName
    act: str
    reason: str
    user_id: str | None = None
    sid: str | None = None
    client_id: str | None = None

    @classmethod
    def of(cls, asker: Asker, name: AuditName, act: str, reason: str) -> "RefusedAct":
        """A refused act of `asker` on their own account."""
        return cls(name, act, reason, asker.user_id, asker.sid, asker.client_id)


def write_refused(realm: Realm, refused: RefusedAct, by: Actor) -> None:
    """Record `refused`, without a limit: the door has counted the try."""
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
    """Record `refused`, or only log it if the last hour has `MOST` records of this name and user."""
    since = realm.clock.now() - SPAN
    with realm.database.read() as tx:
        recorded = audit.count_since(tx, refused.name, refused.user_id, since, most=MOST)
    if recorded < MOST:
        write_refused(realm, refused, by)
    else:
        _log.warning("refusal_not_recorded", name=refused.name.value, act=refused.act, reason=refused.reason, ip=by.ip)
