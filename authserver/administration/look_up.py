"""Looks up users and clients for operators and administrators, and ends a session of another user."""

from collections.abc import Iterator

from authserver.administration.rehearsal import write_or_rehearse
from authserver.credentials.email_address import InvalidEmail, canonicalise_email
from authserver.credentials.events import SessionEndedByAdmin
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, Refused
from authserver.records.audit import Actor
from authserver.records.client import Client
from authserver.records.user import User
from authserver.revocation import Receipt
from authserver.storage import clients, sessions, users

_PAGE = 500


def list_users(realm: Realm) -> Iterator[User]:
    """List all users by e-mail address, page by page, so that no transaction stays open while the caller reads."""
    after = ""
    while True:
        with realm.database.read() as tx:
            page = users.list_page(tx, after=after, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].email


def find_user(realm: Realm, email_or_id: str) -> User | Refused:
    """Find the user with this e-mail address, in any spelling, or with this id."""
    if not is_storable(email_or_id):
        return _refuse("user", email_or_id)
    email = canonicalise_email(email_or_id)
    with realm.database.read() as tx:
        user = users.find(tx, email_or_id) if isinstance(email, InvalidEmail) else users.find_by_email(tx, email)
    return user or _refuse("user", email_or_id)


def list_clients(realm: Realm) -> list[Client]:
    """List all clients, oldest first."""
    with realm.database.read() as tx:
        return clients.list_all(tx)


def find_client(realm: Realm, client_id: str) -> Client | Refused:
    """Find the client with this id in the database, not in memory."""
    if not is_storable(client_id):
        return _refuse("client", client_id)
    with realm.database.read() as tx:
        return clients.find(tx, client_id) or _refuse("client", client_id)


def end_session_of_user(realm: Realm, sid: str, *, by: Actor, dry_run: bool = False) -> Receipt | Refused:
    """End the session `sid` of any user, on behalf of `by`. A session that has already ended stays unchanged."""
    with write_or_rehearse(realm, dry_run=dry_run) as tx:
        user_id = sessions.find_owner(tx, sid) if is_storable(sid) else None
        if user_id is None:
            return _refuse("session", sid)
        return realm.revocation.apply(tx, SessionEndedByAdmin(user_id, sid), by=by, now=realm.clock.now())


def _refuse(what: str, name: str) -> Refused:
    return Refused(NOT_FOUND, f"There is no {what} {name!r}.")
