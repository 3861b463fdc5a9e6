"""The list of connected apps, and disconnecting one."""

from datetime import timedelta

from authserver.account.connected_apps import disconnect, list_apps
from authserver.clients.client_standing import disable_client
from authserver.clients.register_client import ClientRegistration, RegisteredClient, register_client
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from authserver.realm.outcomes import Refused
from authserver.records.consent import Consent
from authserver.storage import consents
from tests.support.people.person import BY, Person
from tests.support.people.refreshing import IP
from tests.support.world.clock import ManualClock


def add_client(realm: Realm, name: str) -> str:
    registration = ClientRegistration(name, ClientKind.PUBLIC, first_party=True, scope=("openid", "email"))
    registered = register_client(realm, registration)
    assert isinstance(registered, RegisteredClient)
    return registered.client.client_id


def allow(realm: Realm, user_id: str, client_id: str, *scope: str) -> None:
    with realm.database.write() as tx:
        consents.remember(tx, Consent(user_id, client_id, frozenset(scope), frozenset(), granted_at=realm.clock.now()))


def test_an_app_is_listed_with_all_that_it_may_do(realm: Realm, clock: ManualClock) -> None:
    """ASVS 10.7.3: an app with consent, tokens or both is listed with scope, begin of its access and last use."""
    began = clock.now()
    person = Person(realm, client_id=add_client(realm, "Zebra"))
    asked, both = add_client(realm, "apple"), person.client_id
    first = person.sign_in("phone")
    clock.advance(timedelta(hours=1))
    person.refresh(first)
    person.sign_in("desk")
    assert [
        (app.client_id, app.scope, app.granted_at, app.last_used_at) for app in list_apps(realm, person.user_id)
    ] == [(both, ("email", "openid"), began, clock.now())]
    clock.advance(timedelta(hours=1))
    allow(realm, person.user_id, both, "address")
    allow(realm, person.user_id, asked, "email")
    assert [(app.name, app.scope, app.granted_at, app.last_used_at) for app in list_apps(realm, person.user_id)] == [
        ("apple", ("email",), clock.now(), None),
        ("Zebra", ("address", "email", "openid"), clock.now(), began + timedelta(hours=1)),
    ]
    assert list_apps(realm, Person(realm).user_id) == []


def test_an_app_whose_access_ended_is_not_listed(realm: Realm, clock: ManualClock) -> None:
    """An app is not listed once its families have ended or are idle for too long, or its client is disabled."""
    disabled, idle = (Person(realm, client_id=add_client(realm, name)) for name in ("A", "B"))
    disabled.sign_in()
    idle.sign_in()
    disable_client(realm, disabled.client_id, BY)
    assert list_apps(realm, disabled.user_id) == []
    assert len(list_apps(realm, idle.user_id)) == 1
    clock.advance(timedelta(days=8))
    assert list_apps(realm, idle.user_id) == []


def test_disconnecting_ends_all_access_of_this_app_to_this_user_only(realm: Realm) -> None:
    """ASVS 10.4.9: its tokens end on every device; other apps and other users are unaffected."""
    person, other_app = Person(realm), add_client(realm, "Other")
    somebody = Person(realm)
    held = [person.sign_in(device) for device in ("phone", "desk")]
    spared = somebody.sign_in()
    person.client_id = other_app
    own = person.sign_in("tablet")
    allow(realm, person.user_id, somebody.client_id, "email")
    assert disconnect(realm, person.bearer(own), somebody.client_id, IP) == 2
    person.assert_alive(own)
    person.client_id = somebody.client_id
    person.assert_dead(*held)
    somebody.assert_alive(spared)
    assert [app.client_id for app in list_apps(realm, person.user_id)] == [other_app]


def test_an_app_that_the_user_has_not_connected_is_not_found(realm: Realm) -> None:
    person, somebody = Person(realm), Person(realm, client_id=add_client(realm, "Other"))
    spared, asker = somebody.sign_in(), person.bearer(person.sign_in())
    for client_id in (somebody.client_id, "none", "", "\0", "\ud800"):
        outcome = disconnect(realm, asker, client_id, IP)
        assert isinstance(outcome, Refused)
        assert outcome.code == "not_found"
    somebody.assert_alive(spared)
