"""Ending sessions at the wish of their user."""

from authserver.accounts.bearer import Bearer
from authserver.accounts.outcomes import NOT_FOUND, Reauthenticate, Refused
from authserver.accounts.reauthentication import demand_recent
from authserver.credentials.events import (
    CredentialEvent,
    SessionEndedByUser,
    SignedOut,
    SignedOutElsewhere,
    SignedOutEverywhere,
)
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.revocation import Receipt
from authserver.storage import sessions
from authserver.storage.audit import Actor
from authserver.storage.sessions import SessionSummary


def sign_out(realm: Realm, bearer: Bearer, ip: str) -> Receipt:
    """End the session that asks, with all its families."""
    return _apply(realm, SignedOut(bearer.user_id, bearer.sid), bearer, ip)


def sign_out_everywhere(realm: Realm, bearer: Bearer, ip: str) -> Receipt:
    """End all sessions of the user who asks."""
    return _apply(realm, SignedOutEverywhere(bearer.user_id), bearer, ip)


def sign_out_elsewhere(realm: Realm, bearer: Bearer, ip: str) -> Receipt | Reauthenticate:
    """End all sessions of the user but the one that asks: a thief of that one would shut the owner out."""
    return demand_recent(realm, bearer) or _apply(realm, SignedOutElsewhere(bearer.user_id), bearer, ip)


def list_sessions(realm: Realm, user_id: str) -> list[SessionSummary]:
    """The user's live sessions, last used first."""
    with realm.database.read() as tx:
        return sessions.list_live(tx, user_id, realm.clock.now())


def end_session(realm: Realm, bearer: Bearer, sid: str, ip: str) -> Receipt | Refused | Reauthenticate:
    """End one session of the user who asks; another user's does not exist for him.

    For another one than his current one he must have signed in a short while ago (ASVS 7.5.2).
    """
    with realm.database.read() as tx:
        owner = sessions.find_owner(tx, sid) if is_storable(sid) else None
    if owner != bearer.user_id:
        return Refused(NOT_FOUND, "There is no such session.")
    stale = None if sid == bearer.sid else demand_recent(realm, bearer)
    return stale or _apply(realm, SessionEndedByUser(bearer.user_id, sid), bearer, ip)


def _apply(realm: Realm, event: CredentialEvent, bearer: Bearer, ip: str) -> Receipt:
    with realm.database.write() as tx:
        return realm.revocation.apply(
            tx, event, by=Actor(bearer.user_id, ip), now=realm.clock.now(), current=bearer.sid
        )
