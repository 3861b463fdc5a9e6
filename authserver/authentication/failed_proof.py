"""The record of a password that was asked for once more and was wrong, or of a new one that was refused."""

from authserver.authentication.asker import Asker
from authserver.authentication.refused_act import RefusedAct, write_refused
from authserver.protocol.audit_name import AuditName
from authserver.realm import Realm
from authserver.realm.outcomes import WRONG_PASSWORD, Invalid, Refused
from authserver.records.audit import Actor


def refuse_wrong_password(realm: Realm, asker: Asker, *, act: str, ip: str | None = None) -> Refused:
    """Refuse `act`, which the user must prove himself for with his password, and record that."""
    refused = RefusedAct.of(asker, AuditName.REAUTHENTICATION_FAIL, act, WRONG_PASSWORD)
    write_refused(realm, refused, Actor(asker.user_id, ip))
    return Refused(WRONG_PASSWORD, "The current password is wrong.")


def record_failed_change(realm: Realm, asker: Asker, failed: Refused | Invalid, *, ip: str | None) -> None:
    """Record that the user could not change his password, and why."""
    refused = RefusedAct.of(asker, AuditName.PASSWORD_CHANGE_FAIL, "change_password", name_reason(failed))
    write_refused(realm, refused, Actor(asker.user_id, ip))


def name_reason(failed: Refused | Invalid) -> str:
    """Why, in words for the record."""
    if isinstance(failed, Refused):
        return failed.reason or failed.code
    return " ".join(error.code for error in failed.errors)
