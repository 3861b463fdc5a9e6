"""Resets a forgotten password by mail.

The answer to a request reveals nothing: it is only queued, and the outbox worker looks the user up (ASVS 6.3.8).
"""

from dataclasses import dataclass

from authserver.account.mailed_link import find_link, record_failed_link, refuse_link, use_link
from authserver.authentication.known_device import introduce_device
from authserver.authentication.passwords import hash_new_password
from authserver.credentials.email_address import InvalidEmail, canonicalise_email
from authserver.credentials.events import PasswordReset
from authserver.mail.requests import RESET_REQUEST, queue_request
from authserver.protocol.audit_name import AuditName
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import Invalid, Refused, TryLater
from authserver.records.link import LinkPurpose
from authserver.records.user import Standing
from authserver.revocation import Receipt
from authserver.storage import users


def ask_reset(realm: Realm, email: str) -> None:
    """Queue the request for a reset link. Answer, work and time are equal for every address."""
    address = canonicalise_email(email)
    if not isinstance(address, InvalidEmail):
        with realm.database.write() as tx:
            queue_request(tx, RESET_REQUEST, address, {}, now=realm.clock.now(), entropy=realm.entropy)


@dataclass(frozen=True, slots=True)
class PasswordWasReset:
    """The receipt, the user's address, and a device token, so that this device counts as known from now on."""

    receipt: Receipt
    email: str
    device_token: Secret


def reset_password(
    realm: Realm, token: str, password: Secret, ip: str
) -> PasswordWasReset | Refused | Invalid | TryLater:
    """Set a new password with a mailed link. Ends everything and signs nobody in; a refused password ends nothing.

    Strangers may have used up the account's tries. So the doors reset their count, and the device becomes known.
    """
    outcome = _reset(realm, token, password, ip)
    if isinstance(outcome, Refused | Invalid):
        name = AuditName.PASSWORD_CHANGE_FAIL
        record_failed_link(realm, token, outcome, ip, name=name, act="reset_password")
    return outcome


def _reset(realm: Realm, token: str, password: Secret, ip: str) -> PasswordWasReset | Refused | Invalid | TryLater:
    link = find_link(realm, token, LinkPurpose.RESET_PASSWORD)
    if isinstance(link, Refused | TryLater):
        return link
    with realm.database.read() as tx:
        credentials = users.find_credentials_by_id(tx, link.user_id)
    if credentials is None or credentials.user.standing is Standing.DISABLED:
        return refuse_link("user_disabled")
    hashed = hash_new_password(realm, password, credentials, field="new_password")
    if not isinstance(hashed, str):
        return hashed
    receipt = use_link(realm, link, PasswordReset(link.user_id, link.address, hashed), ip)
    if isinstance(receipt, Refused):
        return receipt
    with realm.database.read() as tx:
        changed = users.find(tx, link.user_id)
    if changed is None:
        return refuse_link("user_deleted")
    return PasswordWasReset(receipt, changed.email, introduce_device(realm, changed))
