"""Which clients are told of which ends (OpenID Connect Back-Channel Logout 1.0), for all ways a session ends."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from authserver.account.change_password import PasswordChange, PasswordWasChangedInBrowser, change_password_in_browser
from authserver.account.connected_apps import disconnect
from authserver.account.own_account import delete_account
from authserver.administration.look_up import end_session_of_user
from authserver.authentication.browser_session import SignedInBrowser, find_browser_session
from authserver.authentication.open_session import DeviceClaim
from authserver.authentication.reauthentication import Recent
from authserver.authentication.sign_in import SignIn, sign_in
from authserver.authentication.sign_out import end_session, sign_out, sign_out_elsewhere, sign_out_everywhere
from authserver.authorization.revoke_token import revoke_token
from authserver.clients.client_standing import delete_client, disable_client
from authserver.clients.register_client import update_client
from authserver.credentials.events import EVENTS, CredentialEvent, PasswordChanged, SignedOut
from authserver.credentials.policy_row import Reach
from authserver.credentials.representative import represent
from authserver.protocol.audit_name import AuditName
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.records.audit import AuditFilter
from authserver.records.client import Client
from authserver.revocation.consequences import logout_tokens
from authserver.storage import audit
from authserver.tokens.token_answer import TokenAnswer
from tests.support.people.logouts import URI, list_told, register_listener
from tests.support.people.person import BY, NEW_PASSWORD, ORIGIN, Person
from tests.support.people.refreshing import IP, REST, refresh
from tests.support.people.relying_party import Browser, register_app
from tests.support.world.clock import ManualClock
from tests.support.world.realm import PASSWORD

Told = set[tuple[str, str]]
"""Names of clients, and of browsers in whose session they were."""


class Scene:
    """A person in two browsers. Three applications are signed in at her desk, one of them on her phone, too.

    `news` and `mail` want to hear of ends, `deaf` does not.
    """

    def __init__(self, realm: Realm) -> None:
        self.realm = realm
        self.person = Person(realm)
        self.browsers = {name: Browser(realm, self.person.user_id) for name in ("desk", "phone")}
        self.news, self.mail = (register_listener(realm, name) for name in ("news", "mail"))
        deaf = register_app(realm, "deaf")
        self.tokens = self.let("desk", self.news)
        for client in (self.mail, deaf):
            self.let("desk", client)
        self.let("phone", self.news)

    def let(self, browser: str, client: Client) -> TokenAnswer:
        return self.browsers[browser].let(client, "openid offline_access")

    def asker(self, browser: str = "desk") -> SignedInBrowser:
        found = find_browser_session(self.realm, self.browsers[browser].signed_in.cookie)
        assert found is not None
        return found

    def told(self) -> Told:
        """Who is to be told; nobody twice."""
        names = {browser.sid: name for name, browser in self.browsers.items()}
        told = list_told(self.realm)
        assert len(set(told)) == len(told)
        return {(client_id, names.get(sid, sid)) for client_id, sid in told}


@pytest.fixture
def scene(realm: Realm) -> Scene:
    return Scene(realm)


DESK: Told = {("news", "desk"), ("mail", "desk")}
PHONE: Told = {("news", "phone")}
OF_REACH: Mapping[Reach, Told] = {
    Reach.NONE: set(),
    Reach.CURRENT: DESK,
    Reach.OTHERS: PHONE,
    Reach.ALL: DESK | PHONE,
    Reach.THIS_SESSION: DESK,
    Reach.THIS_CLIENT: set(),
}
"""What an event that comes from the desk, or is about the session there, ends by its policy."""


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.name)
def test_every_event_tells_the_clients_of_the_sessions_that_it_ends(
    scene: Scene, clock: ManualClock, kind: type[CredentialEvent]
) -> None:
    """ASVS 7.4.1, 7.4.2, 7.4.5: password change and reset, disabling, deletion, reuse, an operator, whatever it is."""
    realm, person, asker = scene.realm, scene.person, scene.asker()
    facts = {"email": "new@example.test", "roles": ("auditor",), "link_issued_at": clock.now()}
    event = represent(kind, user_id=person.user_id, sid=asker.sid, **facts)  # type: ignore[arg-type]
    with realm.database.write() as tx:
        realm.revocation.apply(tx, event, by=BY, now=clock.now(), current=asker.sid)
    assert scene.told() == OF_REACH[kind.POLICY.reach]


def sign_in_again(scene: Scene) -> None:
    """With the JSON API, on the device of the desk."""
    device = DeviceClaim(scene.browsers["desk"].signed_in.device_id, None)
    attempt = SignIn(scene.person.email, Secret(PASSWORD), scene.person.client_id, None, device, ORIGIN)
    assert isinstance(sign_in(scene.realm, attempt), TokenAnswer)


def exceed_the_cap(scene: Scene) -> None:
    """One session more than a user may have: the one that was used longest ago gives way."""
    lifetimes = replace(scene.realm.lifetimes, max_sessions_per_user=2)
    Browser(replace(scene.realm, lifetimes=lifetimes), scene.person.user_id)


def reuse(scene: Scene) -> None:
    """A thief shows what was exchanged twice since."""
    clock, newest = scene.realm.clock, scene.tokens
    assert isinstance(clock, ManualClock)
    for _ in range(2):
        clock.advance(REST)
        answer = refresh(scene.realm, newest.refresh_token, client_id="news")
        assert isinstance(answer, TokenAnswer)
        newest = answer
    assert isinstance(refresh(scene.realm, scene.tokens.refresh_token, client_id="news"), OAuthError)


def lapse(scene: Scene) -> None:
    """A predecessor comes back after all windows: the family ends softly, and the client comes back."""
    clock = scene.realm.clock
    assert isinstance(clock, ManualClock)
    clock.advance(REST)
    assert isinstance(refresh(scene.realm, scene.tokens.refresh_token, client_id="news"), TokenAnswer)
    clock.advance(timedelta(days=2))
    assert isinstance(refresh(scene.realm, scene.tokens.refresh_token, client_id="news"), OAuthError)


def change_password_at_the_desk(scene: Scene) -> None:
    change = PasswordChange(Secret(PASSWORD), Secret(NEW_PASSWORD), logout_devices=True)
    changed = change_password_in_browser(scene.realm, Recent(scene.asker()), change, ORIGIN)
    assert isinstance(changed, PasswordWasChangedInBrowser)


def change_password_and_spare(scene: Scene) -> None:
    change = PasswordChange(Secret(PASSWORD), Secret(NEW_PASSWORD), logout_devices=False)
    changed = change_password_in_browser(scene.realm, Recent(scene.asker()), change, ORIGIN)
    assert isinstance(changed, PasswordWasChangedInBrowser)


def give_token_back(scene: Scene) -> None:
    assert revoke_token(scene.realm, scene.news, scene.tokens.refresh_token, IP) is None


def give_access_token_back(scene: Scene) -> None:
    assert revoke_token(scene.realm, scene.news, scene.tokens.access_token, IP) is None


def give_one_of_two_tokens_back(scene: Scene) -> None:
    scene.let("desk", scene.news)
    give_token_back(scene)


def delete_news(scene: Scene) -> None:
    assert delete_client(scene.realm, "news", by=BY) is None


WAYS: Mapping[Callable[[Scene], object], Told] = {
    lambda scene: sign_out(scene.realm, scene.asker(), IP): DESK,
    lambda scene: sign_out_everywhere(scene.realm, scene.asker(), IP): DESK | PHONE,
    lambda scene: sign_out_elsewhere(scene.realm, scene.asker(), IP): PHONE,
    lambda scene: end_session(scene.realm, scene.asker(), scene.browsers["phone"].sid, IP): PHONE,
    lambda scene: end_session_of_user(scene.realm, scene.browsers["phone"].sid, by=BY): PHONE,
    lambda scene: delete_account(scene.realm, Recent(scene.asker()), Secret(PASSWORD), IP): DESK | PHONE,
    change_password_at_the_desk: PHONE,
    change_password_and_spare: set(),
    sign_in_again: DESK,
    exceed_the_cap: DESK,
    reuse: DESK,
    lapse: set(),
    give_token_back: {("news", "desk")},
    give_access_token_back: set(),
    give_one_of_two_tokens_back: set(),
    lambda scene: disconnect(scene.realm, scene.asker(), "news", IP): {("news", "desk"), ("news", "phone")},
    lambda scene: disable_client(scene.realm, "news", BY): set(),
    delete_news: set(),
}
"""What people, clients, operators and the server do → who is told."""


@pytest.mark.parametrize(("way", "told"), WAYS.items(), ids=range(len(WAYS)))
def test_every_act_tells_the_clients_that_it_signs_out(
    scene: Scene, clock: ManualClock, way: Callable[[Scene], object], told: Told
) -> None:
    clock.advance(timedelta(seconds=1))
    scene.browsers["phone"].let(scene.news, "openid offline_access")  # so the desk was used longest ago
    clock.advance(timedelta(seconds=1))
    way(scene)
    assert scene.told() == told
    way_out = SignedOut(scene.person.user_id, scene.browsers["desk"].sid)
    with scene.realm.database.write() as tx:
        scene.realm.revocation.apply(tx, way_out, by=BY, now=clock.now())
    assert scene.told() >= told, "and nobody twice"


def test_a_client_that_lost_its_tokens_long_ago_still_hears_of_the_end(scene: Scene, clock: ManualClock) -> None:
    """Back-Channel Logout §2.3: it may keep a session of its own for as long as the user's lasts."""
    clock.advance(timedelta(days=60))
    sign_in_again(scene)
    assert scene.told() == DESK


def test_a_session_that_is_over_by_itself_is_told_to_nobody(scene: Scene, clock: ManualClock) -> None:
    clock.advance(timedelta(days=90))
    scene.person.apply(PasswordChanged(scene.person.user_id, "!"))
    assert scene.told() == set()


def test_a_client_that_asks_for_it_later_hears_of_sessions_from_before(scene: Scene) -> None:
    assert isinstance(update_client(scene.realm, "deaf", {"backchannel_logout_uri": URI}), Client)
    sign_out(scene.realm, scene.asker(), IP)
    assert scene.told() == DESK | {("deaf", "desk")}


def test_after_a_renewal_the_end_is_told_by_every_sid_that_a_client_saw(scene: Scene, clock: ManualClock) -> None:
    """A client that has not come back knows only the old `sid`, one that has knows both."""
    person, former = scene.person, scene.asker()
    change = PasswordChange(Secret(PASSWORD), Secret(NEW_PASSWORD), logout_devices=False)
    changed = change_password_in_browser(scene.realm, Recent(former), change, ORIGIN)
    assert isinstance(changed, PasswordWasChangedInBrowser)
    scene.browsers["new"] = Browser(scene.realm, person.user_id)
    scene.browsers["new"].signed_in = changed.signed_in
    scene.let("new", scene.mail)
    assert scene.told() == set()
    sign_out(scene.realm, scene.asker("new"), IP)
    assert scene.told() == DESK | {("mail", "new")}


def test_so_many_wait_for_one_client_and_the_oldest_gives_way(
    scene: Scene, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that is dropped is recorded; other clients' are not touched."""
    monkeypatch.setattr(logout_tokens, "MOST_WAITING", 2)
    sign_out(scene.realm, scene.asker("phone"), IP)
    for name in ("second", "third"):
        clock.advance(timedelta(seconds=1))
        scene.browsers[name] = Browser(scene.realm, scene.person.user_id)
        for client in (scene.news, scene.mail):
            scene.let(name, client)
        sign_out(scene.realm, scene.asker(name), IP)
    assert scene.told() == {(client, name) for client in ("news", "mail") for name in ("second", "third")}
    with scene.realm.database.read() as tx:
        (record,) = audit.list_page(tx, AuditFilter(name=AuditName.LOGOUT_GIVEN_UP), limit=10)
    phone = scene.browsers["phone"].sid
    assert (record.user_id, record.sid, record.client_id, record.outcome) == (
        scene.person.user_id,
        phone,
        "news",
        "failure",
    )
    assert record.detail["reason"] == "2 wait for the client"
