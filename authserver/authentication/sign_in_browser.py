"""Sign-in and reauthentication at a page, with a password."""

from dataclasses import dataclass, field

from authserver.authentication.browser_session import (
    BrowserSignedIn,
    SignedInBrowser,
    begin_browser_session,
    hand_to_browser,
)
from authserver.authentication.open_session import PASSWORD, DeviceClaim, Opening, RequestSource
from authserver.authentication.prove_password import (
    NotProven,
    SignInRecord,
    find_unchanged,
    prove_password,
    record_sign_in,
)
from authserver.credentials.events import SignedOut
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import Refused, TryLater
from authserver.records.audit import Actor
from authserver.records.user import User
from authserver.sessions.device import is_device_id
from authserver.storage import Transaction, browsers, sessions


@dataclass(frozen=True, slots=True)
class BrowserSignIn:
    """The typed email and password, and what the browser's cookies show: device, device token and present session."""

    email: str
    password: Secret = field(repr=False)
    device_id: str | None
    current: SignedInBrowser | None
    source: RequestSource
    device_token: Secret | None = None


def sign_in_browser(realm: Realm, attempt: BrowserSignIn) -> BrowserSignedIn | Refused | TryLater:
    """Verify the password and give the browser a session; record the attempt.

    If the browser holds or held a live session of this user, that session continues with a new cookie and a new time of
    authentication. If it holds a session of another user, that session ends.
    """
    proven = prove_password(realm, attempt.email, attempt.password, attempt.source, device_token=attempt.device_token)
    if isinstance(proven, TryLater):
        return proven
    with realm.database.write() as tx:
        outcome = proven if isinstance(proven, NotProven) else _sign_in(tx, realm, attempt, proven.user)
        note = outcome if isinstance(outcome, NotProven) else SignInRecord(outcome.user_id, outcome.sid, PASSWORD.amr)
        record_sign_in(tx, realm, note, attempt.source, client_id=None, now=realm.clock.now())
    if isinstance(outcome, NotProven):
        return outcome.refused
    if attempt.current is not None and attempt.current.user_id != outcome.user_id:
        _sign_former_out(realm, attempt.current, attempt.source)
    return outcome


def _sign_former_out(realm: Realm, former: SignedInBrowser, source: RequestSource) -> None:
    """End the other user's session, in a transaction of its own.

    Otherwise two users who change places in two browsers would wait for each other's rows.
    """
    with realm.database.write() as tx:
        event, by = SignedOut(former.user_id, former.sid), Actor(former.user_id, source.ip)
        realm.revocation.apply(tx, event, by=by, now=realm.clock.now(), current=former.sid)


def _sign_in(tx: Transaction, realm: Realm, attempt: BrowserSignIn, verified: User) -> BrowserSignedIn | NotProven:
    now, current = realm.clock.now(), attempt.current
    user = find_unchanged(tx, realm, verified)
    if isinstance(user, NotProven):
        return user
    device_id = attempt.device_id if attempt.device_id is not None and is_device_id(attempt.device_id) else None
    session = None if current is None else sessions.find_live(tx, user.user_id, current.sid, now)
    if session is None and device_id is not None:
        # A closed browser lost its cookie, but the apps that were signed in with this session still use it.
        session = browsers.find_on_device(tx, user.user_id, device_id, now)
    if session is not None:
        return hand_to_browser(tx, realm, user, session, now)
    opening = Opening(PASSWORD, DeviceClaim(device_id, None), attempt.source, now)
    return begin_browser_session(tx, realm, user, opening)
