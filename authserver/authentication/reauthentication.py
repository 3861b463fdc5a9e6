"""Whether a session was opened recently enough for a sensitive act (ASVS 7.5.1, RFC 9470)."""

from authserver import clock
from authserver.authentication.asker import Asker
from authserver.authentication.refused_act import RefusedAct, record_refused
from authserver.protocol.audit_name import AuditName
from authserver.realm import Realm
from authserver.realm.outcomes import Reauthenticate
from authserver.records.audit import Actor


def is_recent(realm: Realm, asker: Asker) -> bool:
    """Whether the user has proved who they are within the reauthentication age; not at a time that is still to come."""
    return clock.is_recent(asker.auth_time, realm.clock.seconds(), realm.reauthentication_age.total_seconds())


def demand_recent(realm: Realm, asker: Asker, act: str, ip: str | None) -> Reauthenticate | None:
    """None when the user has signed in within the reauthentication age; else `act` is refused, which is recorded."""
    if is_recent(realm, asker):
        return None
    refused = RefusedAct.of(asker, AuditName.AUTHZ_FAIL, act, "insufficient_user_authentication")
    record_refused(realm, refused, Actor(asker.user_id, ip))
    return Reauthenticate(int(realm.reauthentication_age.total_seconds()))
