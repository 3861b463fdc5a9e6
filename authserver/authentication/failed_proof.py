"""Records failed reauthentications by password, and refused password changes."""

from authserver.authentication.asker import Asker
from authserver.authentication.refused_act import RefusedAct, write_refused
from authserver.protocol.audit_name import AuditName
from authserver.realm import Realm
from authserver.realm.outcomes import WRONG_PASSWORD, Invalid, Refused
from authserver.records.audit import Actor


def refuse_wrong_password(realm: Realm, asker: Asker, *, act: str, ip: str | None = None) -> Refused:
    """Refuse `act`, because the password with which the user had to confirm it is wrong, and record the refusal."""
    refused = RefusedAct.of(asker, AuditName.REAUTHENTICATION_FAIL, act, WRONG_PASSWORD)
    write_refused(realm, refused, Actor(asker.user_id, ip))
    return Refused(WRONG_PASSWORD, "The current password is wrong.")


def record_failed_change(realm: Realm, asker: Asker, failed: Refused | Invalid, *, ip: str | None) -> None:
    """Record that a user's password change was refused, and why."""
    refused = RefusedAct.of(asker, AuditName.PASSWORD_CHANGE_FAIL, "change_password", name_reason(failed))
    write_refused(realm, refused, Actor(asker.user_id, ip))


def name_reason(failed: Refused | Invalid) -> str:
    """The reason of a refusal, in the words of the audit record."""
    if isinstance(failed, Refused):
        return failed.reason or failed.code
    return " ".join(error.code for error in failed.errors)
