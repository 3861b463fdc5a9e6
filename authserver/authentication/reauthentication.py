"""Decides whether a user has authenticated recently enough for a sensitive act (ASVS 7.5.1, RFC 9470)."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from authserver import clock
from authserver.authentication.asker import Asker
from authserver.authentication.refused_act import RefusedAct, record_refused
from authserver.protocol.audit_name import AuditName
from authserver.realm import Realm
from authserver.realm.outcomes import Reauthenticate
from authserver.records.audit import Actor

AskerT = TypeVar("AskerT", bound=Asker)
AskerT_co = TypeVar("AskerT_co", bound=Asker, covariant=True)


def is_recent(realm: Realm, asker: Asker) -> bool:
    """Whether the user has authenticated within the reauthentication age. A time in the future does not count."""
    return clock.is_recent(asker.auth_time, realm.clock.seconds(), realm.reauthentication_age.total_seconds())


@dataclass(frozen=True, slots=True)
class Recent(Generic[AskerT_co]):
    """A user whose sign-in was recent when `demand_recent` asked.

    Use cases of sensitive acts take nothing else. So no door can forget to ask, and it is asked once for each request,
    before a try is counted.
    """

    asker: AskerT_co


def demand_recent(realm: Realm, asker: AskerT, act: str, ip: str | None) -> Recent[AskerT] | Reauthenticate:
    """Refuse `act`, and record that, unless the user has authenticated within the reauthentication age."""
    if is_recent(realm, asker):
        return Recent(asker)
    refused = RefusedAct.of(asker, AuditName.AUTHZ_FAIL, act, "insufficient_user_authentication")
    record_refused(realm, refused, Actor(asker.user_id, ip))
    return Reauthenticate(int(realm.reauthentication_age.total_seconds()))
