"""Exports and deletes the user's own account."""

from dataclasses import dataclass

from authserver.authentication.asker import Asker
from authserver.authentication.failed_proof import OVERTAKEN, confirm_by_password
from authserver.authentication.passwords import is_unchanged
from authserver.authentication.reauthentication import Recent
from authserver.credentials.events import UserDeleted
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, Refused, TryLater
from authserver.records.audit import Actor, AuditRecord
from authserver.records.consent import ConnectedApp
from authserver.records.session import SessionSummary
from authserver.records.user import Credentials, User
from authserver.revocation import Receipt
from authserver.storage import audit, consents, sessions, users


@dataclass(frozen=True, slots=True)
class AccountExport:
    """All data about a user, without hashes and keys."""

    user: User
    sessions: list[SessionSummary]
    apps: list[ConnectedApp]
    events: list[AuditRecord]


def delete_account(realm: Realm, recent: Recent[Asker], password: Secret, ip: str) -> Receipt | Refused | TryLater:
    """Delete the user who asks, with all of their data except the audit record."""
    asker = recent.asker
    credentials = confirm_by_password(realm, asker, password, act="delete_account", ip=ip)
    if not isinstance(credentials, Credentials):
        return credentials
    with realm.database.write() as tx:
        if not is_unchanged(tx, credentials.user):
            return OVERTAKEN
        event = UserDeleted(asker.user_id)
        return realm.revocation.apply(tx, event, by=Actor(asker.user_id, ip), now=realm.clock.now())


def export_account(realm: Realm, recent: Recent[Asker]) -> AccountExport | Refused:
    """Collect all data about the user who asks."""
    with realm.database.read() as tx:
        user = users.find(tx, recent.asker.user_id)
        if user is None:
            return Refused(NOT_FOUND, "There is no such user.")
        live = sessions.list_live(tx, user.user_id, realm.clock.now())
        apps = consents.list_apps(tx, user.user_id, realm.clock.now())
        return AccountExport(user, live, apps, audit.list_of_user(tx, user.user_id))
