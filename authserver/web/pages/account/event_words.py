"""Sentences for the names of audit records, written for the user whom a record is about."""

from collections.abc import Mapping
from typing import Final

from authserver.protocol.audit_name import AuditName
from authserver.records.audit import AuditRecord
from authserver.records.client_document import name_client
from authserver.web.context import current_realm
from authserver.web.pages.languages import mark, translate

BY_EVENT: Final[Mapping[str, str]] = {
    "password_reset": mark("The password was reset with a mailed link."),
    "password_set_by_admin": mark("An administrator set the password."),
    "email_changed": mark("The e-mail address was changed."),
    "email_change_reverted": mark("A change of the e-mail address was undone."),
    "signed_out_everywhere": mark("Signed out on all devices."),
    "signed_out_elsewhere": mark("All other devices were signed out."),
    "session_ended_by_user": mark("A device was signed out from another device."),
    "signed_out_by_admin": mark("An administrator signed all devices out."),
    "session_ended_by_admin": mark("An administrator signed a device out."),
}
"""Credential event → sentence, for events that share one name in the audit record."""

BY_NAME: Final[Mapping[AuditName, str]] = {
    AuditName.LOGIN_SUCCESS: mark("Signed in."),
    AuditName.LOGIN_FAIL: mark("A sign-in attempt failed."),
    AuditName.LOGIN_LOCK: mark("The account was locked."),
    AuditName.LOGIN_UNLOCK: mark("The account was unlocked."),
    AuditName.PASSWORD_CHANGE: mark("The password was changed."),
    AuditName.PASSWORD_CHANGE_FAIL: mark("Password change failed."),
    AuditName.REAUTHENTICATION_FAIL: mark("A wrong password was entered while signed in."),
    AuditName.FACTOR_CHANGE: mark("The second factor was changed."),
    AuditName.LINK_FAIL: mark("A link from a mail was used that no longer works."),
    AuditName.COMPROMISE_REPORT: mark("The account was reported as used by someone else."),
    AuditName.TOKEN_REUSE: mark("An old token of an app was used again. The device was signed out, to be safe."),
    AuditName.ROLES_CHANGE: mark("An administrator changed the roles of the account."),
    AuditName.AUTHZ_FAIL: mark("An action was refused, or needed the password first."),
    AuditName.CONSENT_GRANTED: mark("%(app)s was allowed to use the account."),
    AuditName.CONSENT_REVOKED: mark("%(app)s was disconnected."),
    AuditName.SESSION_LOGOUT: mark("Signed out."),
    AuditName.SESSION_REVOKED: mark("A device was signed out."),
    AuditName.SESSION_REPLACED: mark("A new sign-in replaced an earlier one."),
    AuditName.USER_CREATED: mark("The account was created."),
    AuditName.USER_UPDATED: mark("The account was changed."),
    AuditName.USER_DISABLED: mark("The account was disabled."),
    AuditName.USER_ENABLED: mark("The account was enabled again."),
}


def say_event(record: AuditRecord) -> str:
    """Describe `record`. A name without a sentence, such as one that an earlier release wrote, is shown unchanged."""
    sentence = BY_EVENT.get(str(record.detail.get("event", ""))) or _find_sentence(record.name)
    return record.name if sentence is None else translate(sentence, app=_name_app(record.client_id))


def _find_sentence(name: str) -> str | None:
    return BY_NAME[AuditName(name)] if name in BY_NAME else None


def _name_app(client_id: str | None) -> str:
    client = None if client_id is None else current_realm().clients.find(client_id)
    return translate("A deleted app") if client is None else name_client(client.client_id, client.name)
