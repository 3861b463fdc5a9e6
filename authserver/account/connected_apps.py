"""The clients that may act for a user: users list them and disconnect them (ASVS 10.4.9, 10.7.3)."""

from authserver.authentication.asker import Asker
from authserver.authentication.refused_act import RefusedAct, record_refused
from authserver.protocol.audit_name import AuditName
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, Refused
from authserver.records.audit import Actor
from authserver.records.consent import ConnectedApp
from authserver.storage import audit, consents, users


def list_apps(realm: Realm, user_id: str) -> list[ConnectedApp]:
    """List the clients that hold tokens of the user, or have the user's consent."""
    with realm.database.read() as tx:
        return consents.list_apps(tx, user_id, realm.clock.now())


def disconnect(realm: Realm, asker: Asker, client_id: str, ip: str) -> Refused | int:
    """Forget the user's consent for this client, and end its families and codes; return how many families ended.

    The user's sessions and other clients are unaffected. No recent sign-in is needed, because it grants nothing.
    """
    if is_storable(client_id) and (ended := _end(realm, asker, client_id, Actor(asker.user_id, ip))) is not None:
        return ended
    refused = RefusedAct.of(asker, AuditName.AUTHZ_FAIL, "disconnect_app", "no_such_app")
    record_refused(realm, refused, Actor(asker.user_id, ip))
    return Refused(NOT_FOUND, "There is no such app.", "no_such_app")


def _end(realm: Realm, asker: Asker, client_id: str, by: Actor) -> int | None:
    now = realm.clock.now()
    with realm.database.write() as tx:
        users.lock(tx, asker.user_id)
        forgotten = consents.forget(tx, asker.user_id, client_id)
        ended = realm.revocation.end_access(tx, asker.user_id, client_id, reason="app_disconnected", by=by, now=now)
        if not forgotten and not ended:
            return None
        audit.write(
            tx,
            AuditName.CONSENT_REVOKED,
            by=by,
            now=now,
            entropy=realm.entropy,
            user_id=asker.user_id,
            client_id=client_id,
            detail={"families_ended": ended},
        )
    return ended
