"""Decides whether a user has authenticated recently enough for a sensitive act (ASVS 7.5.1, RFC 9470)."""

from authserver import clock
from authserver.authentication.asker import Asker
from authserver.authentication.refused_act import RefusedAct, record_refused
from authserver.protocol.audit_name import AuditName
from authserver.realm import Realm
from authserver.realm.outcomes import Reauthenticate
from authserver.records.audit import Actor


def is_recent(realm: Realm, asker: Asker) -> bool:
    """Whether the user has authenticated within the reauthentication age. A time in the future does not count."""
    return clock.is_recent(asker.auth_time, realm.clock.seconds(), realm.reauthentication_age.total_seconds())


def demand_recent(realm: Realm, asker: Asker, act: str, ip: str | None) -> Reauthenticate | None:
    """Refuse `act`, and record that, unless the user has authenticated within the reauthentication age (then None)."""
    if is_recent(realm, asker):
        return None
    refused = RefusedAct.of(asker, AuditName.AUTHZ_FAIL, act, "insufficient_user_authentication")
    record_refused(realm, refused, Actor(asker.user_id, ip))
    return Reauthenticate(int(realm.reauthentication_age.total_seconds()))
