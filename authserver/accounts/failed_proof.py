"""The record of a password that was asked for once more and was wrong, or of a new one that was refused."""

from authserver.accounts.asker import Asker
from authserver.accounts.outcomes import WRONG_PASSWORD, Invalid, Refused
from authserver.protocol.audit_name import AuditName
from authserver.realm import Realm
from authserver.storage import audit
from authserver.storage.audit import Actor


def refuse_wrong_password(realm: Realm, asker: Asker, *, act: str, ip: str | None = None) -> Refused:
    """Refuse `act`, which the user must prove himself for with his password, and record that."""
    _record(realm, AuditName.REAUTHENTICATION_FAIL, asker, act=act, reason=WRONG_PASSWORD, ip=ip)
    return Refused(WRONG_PASSWORD, "The current password is wrong.")


def record_failed_change(realm: Realm, asker: Asker, failed: Refused | Invalid, *, ip: str | None) -> None:
    """Record that the user could not change his password, and why."""
    reason = failed.code if isinstance(failed, Refused) else " ".join(error.code for error in failed.errors)
    _record(realm, AuditName.PASSWORD_CHANGE_FAIL, asker, act="change_password", reason=reason, ip=ip)


def _record(realm: Realm, name: AuditName, asker: Asker, *, act: str, reason: str, ip: str | None) -> None:
    """In a transaction of its own, because nothing else was done."""
    with realm.database.write() as tx:
        audit.write(
            tx,
            name,
            by=Actor(asker.user_id, ip),
            now=realm.clock.now(),
            entropy=realm.entropy,
            outcome="failure",
            user_id=asker.user_id,
            sid=asker.sid,
            client_id=asker.client_id,
            detail={"act": act, "reason": reason},
        )
