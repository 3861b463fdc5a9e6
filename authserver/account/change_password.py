"""Changes the user's password. The current session continues with new tokens; the policy decides about the others."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from authserver.authentication.asker import Asker
from authserver.authentication.bearer import Bearer
from authserver.authentication.browser_session import BrowserSignedIn, SignedInBrowser, begin_browser_session
from authserver.authentication.failed_proof import record_failed_change
from authserver.authentication.known_device import introduce_device
from authserver.authentication.open_session import PASSWORD, DeviceClaim, Opening, RequestSource, open_session
from authserver.authentication.passwords import hash_new_password, is_unchanged, verify_password
from authserver.authentication.reauthentication import demand_recent
from authserver.credentials.events import PasswordChanged
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, WRONG_PASSWORD, Invalid, Reauthenticate, Refused, TryLater
from authserver.records.audit import Actor
from authserver.records.session import Session
from authserver.records.user import User
from authserver.revocation import Receipt
from authserver.storage import Transaction, clients, families, sessions, users
from authserver.tokens.new_family import AccessToGrant
from authserver.tokens.token_answer import AccessAnswer, issue_access, issue_tokens


@dataclass(frozen=True, slots=True)
class PasswordWasChanged:
    """The new tokens of the current session, and the receipt."""

    tokens: AccessAnswer
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """The user's input. `logout_devices` False asks to spare the other devices, if the policy lets the user choose."""

    current: Secret
    new: Secret
    logout_devices: bool


@dataclass(frozen=True, slots=True)
class PasswordWasChangedInBrowser:
    """The new cookie of the current session, and the receipt. Its apps sign in again through this cookie."""

    signed_in: BrowserSignedIn
    receipt: Receipt


def change_password(
    realm: Realm, bearer: Bearer, change: PasswordChange, source: RequestSource
) -> PasswordWasChanged | Refused | Invalid | TryLater | Reauthenticate:
    """Change the password of the user who asks, and renew their session. A refused new password ends nothing."""
    proven = _prove(realm, bearer, change, source)
    if not isinstance(proven, _Proven):
        return proven
    now = realm.clock.now()
    # Before the transaction: if many changes each held a connection and waited for a second one, all would hang.
    client = realm.clients.find(bearer.claims.client_id)
    with realm.database.write() as tx:
        device = _find_device(tx, bearer, proven, now)
        family = families.find_by_fam(tx, bearer.claims.fam)
        if device is None or family is None:
            return _refuse_overtaken()
        granted = family.granted
        family_version = clients.find_family_version(tx, granted.client_id)
        if client is None or family_version is None:
            return Refused(NOT_FOUND, "There is no such client.")
        # A session without a refresh token gets none now: nobody consented to access while the user is away.
        offline = family.outlives(realm.lifetimes.of_client(client).access_token_lifetime)
        receipt = _apply(tx, realm, bearer, proven, change, source, now)
        user = users.load(tx, bearer.user_id)
        holding = open_session(
            tx,
            realm,
            user=user,
            opening=Opening(PASSWORD, DeviceClaim(device.device_id, device.device_name), source, now),
            client=client,
            granted=AccessToGrant(granted.scope, granted.audience, now, family_version, offline=offline),
        )
    issue = issue_tokens if offline else issue_access
    tokens = issue(realm, holding, client, now=now)
    return PasswordWasChanged(replace(tokens, device_token=introduce_device(realm, user).reveal()), receipt)


def change_password_in_browser(
    realm: Realm, asker: SignedInBrowser, change: PasswordChange, source: RequestSource
) -> PasswordWasChangedInBrowser | Refused | Invalid | TryLater | Reauthenticate:
    """Change the password at the account pages: the browser's session continues with a new cookie, without a family."""
    proven = _prove(realm, asker, change, source)
    if not isinstance(proven, _Proven):
        return proven
    now = realm.clock.now()
    with realm.database.write() as tx:
        device = _find_device(tx, asker, proven, now)
        if device is None:
            return _refuse_overtaken()
        receipt = _apply(tx, realm, asker, proven, change, source, now)
        opening = Opening(PASSWORD, DeviceClaim(device.device_id, device.device_name), source, now)
        signed_in = begin_browser_session(tx, realm, users.load(tx, asker.user_id), opening)
    return PasswordWasChangedInBrowser(signed_in, receipt)


@dataclass(frozen=True, slots=True)
class _Proven:
    """The user as read when the current password was verified, and the hash of the new password."""

    user: User
    password_hash: str = field(repr=False)


def _prove(
    realm: Realm, asker: Asker, change: PasswordChange, source: RequestSource
) -> _Proven | Refused | Invalid | TryLater | Reauthenticate:
    stale = demand_recent(realm, asker, "change_password", source.ip)
    if stale is not None:
        return stale
    outcome = _verify_and_hash(realm, asker, change)
    if isinstance(outcome, Refused | Invalid):
        record_failed_change(realm, asker, outcome, ip=source.ip)
    return outcome


def _verify_and_hash(realm: Realm, asker: Asker, change: PasswordChange) -> _Proven | Refused | Invalid | TryLater:
    with realm.database.read() as tx:
        credentials = users.find_credentials_by_id(tx, asker.user_id)
    if credentials is None:
        return Refused(NOT_FOUND, "There is no such user.")
    verified = verify_password(realm, credentials, change.current)
    if isinstance(verified, TryLater):
        return verified
    if not verified:
        return Refused(WRONG_PASSWORD, "The current password is wrong.")
    hashed = hash_new_password(realm, change.new, credentials, field="new_password")
    return _Proven(credentials.user, hashed) if isinstance(hashed, str) else hashed


def _find_device(tx: Transaction, asker: Asker, proven: _Proven, now: datetime) -> Session | None:
    """Lock the user's row; find the session that asks, if it is live and the credentials are unchanged."""
    return sessions.find_live(tx, asker.user_id, asker.sid, now) if is_unchanged(tx, proven.user) else None


def _refuse_overtaken() -> Refused:
    return Refused(WRONG_PASSWORD, "The password has changed in the meantime.")


def _apply(
    tx: Transaction,
    realm: Realm,
    asker: Asker,
    proven: _Proven,
    change: PasswordChange,
    source: RequestSource,
    now: datetime,
) -> Receipt:
    return realm.revocation.apply(
        tx,
        PasswordChanged(asker.user_id, proven.password_hash),
        by=Actor(asker.user_id, source.ip),
        now=now,
        current=asker.sid,
        logout_devices=change.logout_devices,
    )
