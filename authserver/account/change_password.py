"""Changes the user's password. The current session continues with new tokens; the policy decides about the others."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

from authserver.authentication.asker import Asker
from authserver.authentication.bearer import Bearer
from authserver.authentication.browser_session import BrowserSignedIn, SignedInBrowser, begin_browser_session
from authserver.authentication.failed_proof import OVERTAKEN, record_failed_change, verify_current_password
from authserver.authentication.known_device import introduce_device
from authserver.authentication.open_session import PASSWORD, DeviceClaim, Opening, RequestSource, open_session
from authserver.authentication.passwords import hash_new_password, is_unchanged
from authserver.authentication.reauthentication import Recent
from authserver.credentials.events import PasswordChanged
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, Invalid, Refused, TryLater
from authserver.records.audit import Actor
from authserver.records.client import Client
from authserver.records.user import Credentials, User
from authserver.revocation import Receipt
from authserver.storage import Transaction, clients, families, sessions, users
from authserver.tokens.key_proof import find_refresh_jkt
from authserver.tokens.new_family import AccessToGrant
from authserver.tokens.token_answer import AccessAnswer, Holding, issue_access, issue_tokens


@dataclass(frozen=True, slots=True)
class PasswordWasChanged:
    """The new tokens of the current session, and the receipt."""

    tokens: AccessAnswer
    receipt: Receipt

    @property
    def sid(self) -> str:
        """The renewed session."""
        return self.tokens.sid


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

    @property
    def sid(self) -> str:
        """The renewed session."""
        return self.signed_in.sid


def change_password(
    realm: Realm, recent: Recent[Bearer], change: PasswordChange, source: RequestSource
) -> PasswordWasChanged | Refused | Invalid | TryLater:
    """Change the password of the user who asks, and renew their session. A refused new password ends nothing."""
    bearer = recent.asker
    # Before the transaction: if many changes each held a connection and waited for a second one, all would hang.
    client = realm.clients.find(bearer.claims.client_id)

    def prepare(tx: Transaction, now: datetime) -> _Open[_OpenedForClient] | Refused:
        family = families.find_by_fam(tx, bearer.claims.fam)
        if family is None:
            return OVERTAKEN
        granted = family.granted
        family_version = clients.find_family_version(tx, granted.client_id)
        if client is None or family_version is None:
            return Refused(NOT_FOUND, "There is no such client.")
        # A session without a refresh token gets none now: nobody consented to access while the user is away.
        offline = family.outlives(realm.lifetimes.of_client(client).access_token_lifetime)
        # The renewed session keeps its key. A bearer token from before the family was bound comes without a proof.
        jkt = bearer.claims.jkt or family.jkt
        refresh_jkt = find_refresh_jkt(client, jkt)
        access = AccessToGrant(granted.scope, granted.audience, now, family_version, offline=offline, jkt=refresh_jkt)

        def open_again(user: User, opening: Opening) -> _OpenedForClient:
            holding = open_session(tx, realm, user=user, opening=opening, client=client, granted=access)
            return _OpenedForClient(holding, client, jkt, offline=offline)

        return open_again

    changed = _change(realm, recent, change, source, prepare)
    if not isinstance(changed, _Changed):
        return changed
    opened = changed.opened
    issue = issue_tokens if opened.offline else issue_access
    tokens = issue(realm, opened.holding, opened.client, now=changed.now, jkt=opened.jkt)
    return PasswordWasChanged(
        replace(tokens, device_token=introduce_device(realm, changed.user).reveal()), changed.receipt
    )


def change_password_in_browser(
    realm: Realm, recent: Recent[SignedInBrowser], change: PasswordChange, source: RequestSource
) -> PasswordWasChangedInBrowser | Refused | Invalid | TryLater:
    """Change the password at the account pages: the browser's session continues with a new cookie, without a family."""

    def prepare(tx: Transaction, _: datetime) -> _Open[BrowserSignedIn]:
        return lambda user, opening: begin_browser_session(tx, realm, user, opening)

    changed = _change(realm, recent, change, source, prepare)
    return PasswordWasChangedInBrowser(changed.opened, changed.receipt) if isinstance(changed, _Changed) else changed


@dataclass(frozen=True, slots=True)
class _OpenedForClient:
    """The family of the renewed session, the key of its tokens, and whether it hands out refresh tokens."""

    holding: Holding
    client: Client
    jkt: str | None
    offline: bool


T = TypeVar("T")
_Open = Callable[[User, Opening], T]
"""Opens the session again in which the user asked."""


@dataclass(frozen=True, slots=True)
class _Changed(Generic[T]):
    opened: T
    user: User
    receipt: Receipt
    now: datetime


@dataclass(frozen=True, slots=True)
class _Proven:
    """The user as read when the current password was verified, and the hash of the new password."""

    user: User
    password_hash: str = field(repr=False)


def _change(
    realm: Realm,
    recent: Recent[Asker],
    change: PasswordChange,
    source: RequestSource,
    prepare: Callable[[Transaction, datetime], _Open[T] | Refused],
) -> _Changed[T] | Refused | Invalid | TryLater:
    """Change the password and renew the session that asks.

    `prepare` reads what it needs of that session before the change ends it, and returns what opens it again.
    """
    asker = recent.asker
    proven = _verify_and_hash(realm, asker, change)
    if isinstance(proven, Refused | Invalid):
        record_failed_change(realm, asker, proven, ip=source.ip)
    if not isinstance(proven, _Proven):
        return proven
    now = realm.clock.now()
    with realm.database.write() as tx:
        # Locks the user's row first.
        device = sessions.find_live(tx, asker.user_id, asker.sid, now) if is_unchanged(tx, proven.user) else None
        if device is None:
            return OVERTAKEN
        open_again = prepare(tx, now)
        if isinstance(open_again, Refused):
            return open_again
        receipt = realm.revocation.apply(
            tx,
            PasswordChanged(asker.user_id, proven.password_hash),
            by=Actor(asker.user_id, source.ip),
            now=now,
            current=asker.sid,
            logout_devices=change.logout_devices,
        )
        user = users.load(tx, asker.user_id)
        opening = Opening(PASSWORD, DeviceClaim(device.device_id, device.device_name), source, now)
        return _Changed(open_again(user, opening), user, receipt, now)


def _verify_and_hash(realm: Realm, asker: Asker, change: PasswordChange) -> _Proven | Refused | Invalid | TryLater:
    credentials = verify_current_password(realm, asker, change.current)
    if not isinstance(credentials, Credentials):
        return credentials
    hashed = hash_new_password(realm, change.new, credentials, field="new_password")
    return _Proven(credentials.user, hashed) if isinstance(hashed, str) else hashed
