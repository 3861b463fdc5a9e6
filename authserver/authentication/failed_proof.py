"""Asks users for their current password before a sensitive act; records failed proofs and refused password changes."""

from typing import Final

from authserver.authentication.asker import Asker
from authserver.authentication.passwords import verify_password
from authserver.authentication.refused_act import RefusedAct, write_refused
from authserver.protocol.audit_name import AuditName
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, WRONG_PASSWORD, Invalid, Refused, TryLater
from authserver.records.audit import Actor
from authserver.records.user import Credentials
from authserver.storage import users

OVERTAKEN: Final = Refused(WRONG_PASSWORD, "The password has changed in the meantime.")
"""The credentials changed after the password was verified: `is_unchanged` is False in the transaction of the act."""


def verify_current_password(realm: Realm, asker: Asker, password: Secret) -> Credentials | Refused | TryLater:
    """Verify the password of the user who asks. Returns their credentials as they were verified. Records nothing."""
    with realm.database.read() as tx:
        credentials = users.find_credentials_by_id(tx, asker.user_id)
    if credentials is None:
        return Refused(NOT_FOUND, "There is no such user.")
    verified = verify_password(realm, credentials, password)
    if isinstance(verified, TryLater):
        return verified
    return credentials if verified else Refused(WRONG_PASSWORD, "The current password is wrong.")


def confirm_by_password(
    realm: Realm, asker: Asker, password: Secret, *, act: str, ip: str | None
) -> Credentials | Refused | TryLater:
    """Verify the password that the user has to give for `act`, and record a wrong one as a failed reauthentication."""
    outcome = verify_current_password(realm, asker, password)
    if isinstance(outcome, Refused) and outcome.code == WRONG_PASSWORD:
        refused = RefusedAct.of(asker, AuditName.REAUTHENTICATION_FAIL, act, WRONG_PASSWORD)
        write_refused(realm, refused, Actor(asker.user_id, ip))
    return outcome


def record_failed_change(realm: Realm, asker: Asker, failed: Refused | Invalid, *, ip: str | None) -> None:
    """Record that a user's password change was refused, and why."""
    refused = RefusedAct.of(asker, AuditName.PASSWORD_CHANGE_FAIL, "change_password", name_reason(failed))
    write_refused(realm, refused, Actor(asker.user_id, ip))


def name_reason(failed: Refused | Invalid) -> str:
    """The reason of a refusal, in the words of the audit record."""
    if isinstance(failed, Refused):
        return failed.reason or failed.code
    return " ".join(error.code for error in failed.errors)
