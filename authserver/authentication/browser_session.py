"""Browser sessions: one sign-in at a page, shared by several clients (single sign-on).

The browser holds a random value in a cookie, and the database its digest. The value changes at every sign-in, so a
value that somebody planted or saw earlier is worthless (ASVS 7.2.4).
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from authserver.authentication.asker import Asker
from authserver.authentication.known_device import introduce_device
from authserver.authentication.open_session import Opening, begin_session
from authserver.protocol import base64url
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.records.session import BrowserMark, Session
from authserver.records.user import Standing, User
from authserver.storage import Transaction, browsers, users

COOKIE_BYTES: Final = 32
_TOUCH_INTERVAL: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SignedInBrowser(Asker):
    """A user at a page, in the live session that belongs to the browser's cookie."""

    user: User
    session: Session


@dataclass(frozen=True, slots=True)
class BrowserSignedIn:
    """A browser session after a sign-in, with its new cookie and the browser's device token."""

    user_id: str
    sid: str
    device_id: str
    cookie: Secret = field(repr=False)
    device_token: Secret = field(repr=False)


def find_browser_session(realm: Realm, cookie: Secret | None) -> SignedInBrowser | None:
    """Find the session of the browser that sends `cookie`; None if it has none, or the user is locked or disabled.

    Records the use of the session, at most once a minute, in a transaction of its own.
    """
    if cookie is None:
        return None
    now, digest = realm.clock.now(), _digest(cookie)
    with realm.database.read() as tx:
        found = browsers.find(tx, digest, now)
        user = None if found is None else users.find(tx, found[0].user_id)
    if found is None or user is None or user.standing is not Standing.ACTIVE:
        return None
    session, used_at = found
    if now - used_at > _TOUCH_INTERVAL:
        with realm.database.write() as tx:
            browsers.touch(tx, _mark(realm, digest, now))
    return SignedInBrowser(user.user_id, session.sid, int(session.auth_time.timestamp()), None, user, session)


def begin_browser_session(tx: Transaction, realm: Realm, user: User, opening: Opening) -> BrowserSignedIn:
    """Open a browser session, without any family. The caller holds the user's row."""
    session = begin_session(tx, realm, user=user, opening=opening, client_id=None)
    return hand_to_browser(tx, realm, user, session, opening.now)


def hand_to_browser(tx: Transaction, realm: Realm, user: User, session: Session, now: datetime) -> BrowserSignedIn:
    """Give the session a new cookie and a new time of authentication, because `user` has just proved who they are."""
    cookie = Secret(base64url.encode(realm.entropy(COOKIE_BYTES)))
    browsers.hand_over(tx, session.sid, _mark(realm, _digest(cookie), now), auth_time=now)
    return BrowserSignedIn(session.user_id, session.sid, session.device_id, cookie, introduce_device(realm, user))


def _mark(realm: Realm, digest: bytes, now: datetime) -> BrowserMark:
    return BrowserMark(digest, now, now + realm.lifetimes.refresh_idle_lifetime)


def _digest(cookie: Secret) -> bytes:
    return hashlib.sha256(cookie.reveal().encode("utf-8", "surrogatepass")).digest()
