"""Recovers from a restored backup: earlier revocations stay in force, and new sign-ins work (design §6, fault F39)."""

from dataclasses import dataclass

from authserver.custody.change_keys import compromise_key
from authserver.custody.key_custody import KeyCustody
from authserver.keyring.keys import LIVE_STATES
from authserver.protocol.audit_name import AuditName
from authserver.protocol.entropy import new_id
from authserver.protocol.revocation_feed import IssuerEntry
from authserver.records.audit import Actor, AuditRecord
from authserver.records.session import Ended
from authserver.storage import audit, feed, restore
from authserver.trusted_time import Trusted


@dataclass(frozen=True, slots=True)
class Recovered:
    """The number of replaced keys and ended sessions, and the instant before which all issued tokens are refused."""

    keys: int
    sessions: int
    issued_before: int


def recover_from_restore(custody: KeyCustody, at: Trusted, *, by: Actor) -> Recovered:
    """Replace every key, end all sessions softly, raise all versions, and notify resource servers. Safe to repeat.

    With a clock that is ahead, resource servers would refuse all tokens until the real time catches up.

    Keys are replaced first: a run that is interrupted afterwards has refused too much, never too little.
    """
    kids = [key.kid for key in custody.load_keys().rows if key.state in LIVE_STATES]
    for kid in kids:
        compromise_key(custody, kid, by=by)
    now = at.now
    issued_before = int(now.timestamp())
    with custody.database.write() as tx:
        restore.allow_long_statements(tx)
        restore.lift_feed(tx, now)
        restore.lift_versions(tx, now)
        sessions = restore.end_everything(tx, Ended(now, AuditName.DATABASE_RESTORED, soft_logout=True))
        feed.append(tx, IssuerEntry(issued_before, issued_before), new_id(custody.entropy))
        detail = {"keys": len(kids), "sessions_ended": sessions}
        name = AuditName.DATABASE_RESTORED
        audit.append(tx, AuditRecord(new_id(custody.entropy), now, name, "success", by, None, None, None, detail))
    return Recovered(len(kids), sessions, issued_before)
