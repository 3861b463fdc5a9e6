"""Sign-out: users list and end their own sessions."""

from authserver.authentication.asker import Asker
from authserver.authentication.reauthentication import demand_recent
from authserver.authentication.refused_act import RefusedAct, record_refused
from authserver.credentials.events import (
    CredentialEvent,
    SessionEndedByUser,
    SignedOut,
    SignedOutElsewhere,
    SignedOutEverywhere,
)
from authserver.protocol.audit_name import AuditName
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, Reauthenticate, Refused
from authserver.records.audit import Actor
from authserver.records.session import SessionSummary
from authserver.revocation import Receipt
from authserver.storage import sessions


def sign_out(realm: Realm, asker: Asker, ip: str) -> Receipt:
    """End the session that asks, with all its families."""
    return _apply(realm, SignedOut(asker.user_id, asker.sid), asker, ip)


def sign_out_everywhere(realm: Realm, asker: Asker, ip: str) -> Receipt:
    """End all sessions of the user who asks."""
    return _apply(realm, SignedOutEverywhere(asker.user_id), asker, ip)


def sign_out_elsewhere(realm: Realm, asker: Asker, ip: str) -> Receipt | Reauthenticate:
    """End all sessions of the user except the one that asks.

    It needs a recent sign-in, because the thief of one session could otherwise sign the owner out everywhere else.
    """
    recent = demand_recent(realm, asker, "sign_out_elsewhere", ip)
    return recent if isinstance(recent, Reauthenticate) else _apply(realm, SignedOutElsewhere(asker.user_id), asker, ip)


def list_sessions(realm: Realm, user_id: str) -> list[SessionSummary]:
    """List the user's live sessions, last used first."""
    with realm.database.read() as tx:
        return sessions.list_live(tx, user_id, realm.clock.now())


def end_session(realm: Realm, asker: Asker, sid: str, ip: str) -> Receipt | Refused | Reauthenticate:
    """End one session of the user who asks. Another user's session gets the same answer as one that does not exist.

    For a session other than the current one, a recent sign-in is needed (ASVS 7.5.2).
    """
    with realm.database.read() as tx:
        owner = sessions.find_owner(tx, sid) if is_storable(sid) else None
    if owner != asker.user_id:
        reason = "no_such_session" if owner is None else "session_of_another_user"
        refused = RefusedAct.of(asker, AuditName.AUTHZ_FAIL, "end_session", reason)
        record_refused(realm, refused, Actor(asker.user_id, ip))
        return Refused(NOT_FOUND, "There is no such session.", reason)
    recent = None if sid == asker.sid else demand_recent(realm, asker, "end_session", ip)
    if isinstance(recent, Reauthenticate):
        return recent
    return _apply(realm, SessionEndedByUser(asker.user_id, sid), asker, ip)


def _apply(realm: Realm, event: CredentialEvent, asker: Asker, ip: str) -> Receipt:
    with realm.database.write() as tx:
        return realm.revocation.apply(tx, event, by=Actor(asker.user_id, ip), now=realm.clock.now(), current=asker.sid)
