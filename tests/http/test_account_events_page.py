"""`/account/events`: what happened to the account, in plain words and without what is for operators."""

import re
from datetime import timedelta

from authserver.account import security_events
from authserver.credentials.events import EVENTS, PasswordSetByAdmin, SignedOutByAdmin
from authserver.protocol.audit_name import AuditName
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.records.audit import Actor, AuditRecord
from authserver.storage import audit
from authserver.web.pages.account.event_words import BY_EVENT, BY_NAME
from tests.support.people.account_pages import sign_in
from tests.support.people.api import Api
from tests.support.people.authorizing import App, register_app
from tests.support.people.credentials import NEW_PASSWORD, carry_out, change
from tests.support.people.pages import Pages, read_page
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, add_user

PATH = "/account/events"


def write(realm: Realm, user_id: str, *names: str, actor: Actor | None = None) -> None:
    """Records about the user, a second apart."""
    with realm.database.write() as tx:
        for number, name in enumerate(names):
            now = realm.clock.now() + timedelta(seconds=number)
            by = Actor(user_id, "203.0.113.77") if actor is None else actor
            detail = {"reason": "for operators alone"}
            record = AuditRecord(f"{name}-{number}", now, name, "success", by, user_id, None, None, detail)
            audit.append(tx, record)


def test_what_happened_is_told_in_sentences_newest_first(
    realm: Realm, api: Api, pages: Pages, user_id: str, clock: ManualClock
) -> None:
    """ASVS 6.3.5: also what somebody else tried."""
    api.login(password="wrong", ip="198.51.100.9")
    clock.advance(timedelta(hours=1))
    device = api.sign_in()
    clock.advance(timedelta(seconds=1))
    change(api, device)
    clock.advance(timedelta(hours=1))
    sign_in(pages, password=NEW_PASSWORD)
    said = read_page(pages.get(PATH))
    told = [
        "Signed in. just now",
        "The password was changed. 1 hour ago",
        "Signed in. 1 hour ago",
        "A sign-in attempt failed.",
    ]
    assert [said.index(sentence) for sentence in told] == sorted(said.index(sentence) for sentence in told)
    assert "198.51.100.x" in said
    assert "198.51.100.9" not in said
    assert "wrong_password" not in said


def test_apps_are_named(realm: Realm, api: Api, pages: Pages) -> None:
    app = App(pages, api, register_app(realm, "Photo Book").client.client_id)
    app.connect()
    pages.post("/account/apps", None, disconnect=app.client_id)
    said = read_page(pages.get(PATH))
    assert said.index("Photo Book was disconnected.") < said.index("Photo Book was allowed to use the account.")
    assert "ended by itself" not in said


def test_nothing_for_operators_is_told(realm: Realm, pages: Pages, user_id: str) -> None:
    """Details, ids and where an administrator sits."""
    write(realm, user_id, *security_events.OF_OPERATORS)
    write(realm, user_id, "session_revoked", actor=Actor("admin", "192.0.2.44"))
    sign_in(pages)
    carry_out(realm, SignedOutByAdmin(user_id), user_id)
    carry_out(realm, PasswordSetByAdmin(user_id, realm.passwords.hasher.hash(Secret(NEW_PASSWORD))), user_id)
    text = sign_in(pages, password=NEW_PASSWORD).get(PATH).text
    assert "An administrator signed all devices out." in text
    assert "An administrator set the password." in text
    for hidden in ("for operators", "192.0.2", "admin<", "cli", user_id, *security_events.OF_OPERATORS):
        assert str(hidden) not in text.partition("<main")[2], hidden


def test_a_name_of_another_release_is_shown_by_its_name(realm: Realm, pages: Pages, user_id: str) -> None:
    write(realm, user_id, "authn_something_new")
    assert "authn_something_new" in read_page(sign_in(pages).get(PATH))


def test_every_name_that_is_about_a_user_has_a_sentence() -> None:
    """Each credential event says more than its name where it shares that with others."""
    of_users = {name for name in AuditName if re.match("auth|session|user", name)} - security_events.OF_OPERATORS
    assert BY_NAME.keys() == of_users - {AuditName.USER_DELETED}
    assert BY_EVENT.keys() <= {event.name for event in EVENTS}


def test_ninety_days_are_shown(realm: Realm, pages: Pages, user_id: str, clock: ManualClock) -> None:
    write(realm, user_id, "authn_old")
    clock.advance(timedelta(days=1))
    write(realm, user_id, "authn_young")
    clock.advance(timedelta(days=89, seconds=30))
    said = read_page(sign_in(pages).get(PATH))
    assert "authn_young" in said
    assert "authn_old" not in said


def test_pages_follow_each_other_without_gap_or_repetition(
    realm: Realm, pages: Pages, user_id: str, clock: ManualClock
) -> None:
    write(realm, user_id, *(f"event_{number}" for number in range(70)))
    clock.advance(timedelta(minutes=2))
    sign_in(pages)
    seen: list[str] = []
    path: str | None = PATH
    for _ in range(5):
        if path is None:
            break
        text = pages.get(path).text
        seen += re.findall(r"<p>(event_\d+)</p>", text)
        found = re.search(r'href="(/account/events\?after=[^"]+)"', text)
        path = None if found is None else found.group(1)
    assert seen == [f"event_{number}" for number in reversed(range(70))]
    assert path is None


def test_nobody_sees_the_events_of_another_user(realm: Realm, pages: Pages, api: Api, user_id: str) -> None:
    """8.2.2: not by the place in the record either."""
    eve = add_user(realm, "eve@example.test")
    write(realm, eve, "event_of_eve")
    sign_in(pages)
    for query in ("", "?after=event_of_eve-0", "?after=none", "?after=%00", "?after=" + "x" * 500):
        said = read_page(pages.get(f"{PATH}{query}"))
        assert "event_of_eve" not in said
        assert "Signed in. just now" in said
    assert EMAIL in pages.get(PATH).text
