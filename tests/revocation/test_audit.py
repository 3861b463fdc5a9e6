"""The audit record: each act writes what docs/audit.md says and nothing else; reading, filtering and following."""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from authserver.account.change_email import ask_email_change
from authserver.account.confirm_address import confirm_email
from authserver.account.connected_apps import disconnect
from authserver.account.own_account import delete_account
from authserver.account.register import Registered, register
from authserver.administration.read_audit import AuditTail, list_audit
from authserver.authentication.browser_session import BrowserSignedIn, SignedInBrowser, find_browser_session
from authserver.authentication.open_session import DeviceClaim, RequestSource
from authserver.authentication.reauthentication import Recent
from authserver.authentication.sign_in import SignIn, sign_in
from authserver.authentication.sign_in_browser import BrowserSignIn, sign_in_browser
from authserver.authentication.sign_out import end_session, sign_out, sign_out_elsewhere
from authserver.authorization.authorize import authorize
from authserver.authorization.outcomes import AuthorizationAnswer, Decision
from authserver.authorization.pending_request import begin_pending
from authserver.clients.client_standing import delete_client, disable_client, enable_client
from authserver.clients.register_client import (
    ClientRegistration,
    RegisteredClient,
    end_former_secret,
    register_client,
    rotate_secret,
    update_client,
)
from authserver.clients.registration_tokens import (
    MadeToken,
    Offer,
    end_registration_token,
    make_registration_token,
)
from authserver.credentials import events
from authserver.credentials.events import EVENTS
from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import Reach
from authserver.custody import key_custody
from authserver.keyring.steps import Compromise
from authserver.protocol.audit_name import AuditName
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import Invalid, Refused
from authserver.records.audit import Actor, AuditFilter, AuditRecord
from authserver.records.link import LinkPurpose
from authserver.storage import audit, users
from authserver.tokens.token_answer import TokenAnswer
from authserver.web.pages.answers import AUTHORIZATION
from authserver.web.pages.dispatcher import CHECKS
from tests.support.people.authorizing import CALLBACK, CHALLENGE, register_app
from tests.support.people.person import BY, NEW_PASSWORD, Person
from tests.support.people.refreshing import IP
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import PASSWORD

DOCUMENT = Path(__file__).parents[2] / "docs" / "audit.md"
EVERYTHING = AuditFilter()
Recording = Callable[[], AbstractContextManager[list[str]]]
NASTY = "\r\n\x1b[2J\u2028\u202e\x00"


def inventory() -> dict[str, tuple[str, set[str], set[str]]]:
    """Read docs/audit.md: name → outcome, credential events, members of `detail`."""
    row = re.compile(r"^\| `(\w+)` \| (success|failure) \| .*? \| (.*?)\| (.*?)\|$", re.MULTILINE)
    rows = row.findall(DOCUMENT.read_text(encoding="utf-8"))
    return {name: (outcome, _words(about), _words(detail)) for name, outcome, about, detail in rows}


def _words(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def records(realm: Realm, name: AuditName | None = None) -> list[AuditRecord]:
    return list(list_audit(realm.database, AuditFilter(name=name), limit=1000))


# --- what is written -------------------------------------------------------------------------------------------------


def test_the_inventory_has_every_name_and_no_other() -> None:
    """ASVS 16.1.1: an inventory of what is logged."""
    assert list(inventory()) == [name.value for name in sorted(AuditName, key=list(inventory()).index)]
    assert inventory().keys() == {name.value for name in AuditName}


def test_the_inventory_names_every_event_in_its_row() -> None:
    expected: dict[str, set[str]] = {name.value: set() for name in AuditName}
    for event in EVENTS:
        expected[event.audit_name].add(event.name)
    assert {name: about for name, (_, about, _) in inventory().items()} == expected


def _sign_in_wrongly(person: Person) -> None:
    assert isinstance(person.try_sign_in(password="wrong"), Refused)


def _change_wrongly(person: Person) -> None:
    assert isinstance(person.change_password(person.bearer(person.sign_in()), current="wrong"), Refused)


def _delete_wrongly(person: Person) -> None:
    assert isinstance(
        delete_account(person.realm, Recent(person.bearer(person.sign_in())), Secret("wrong"), IP), Refused
    )


def _reset_with_nothing(person: Person) -> None:
    assert isinstance(person.reset("lt_none"), Refused)


def _reset_to_a_short_password(person: Person) -> None:
    assert isinstance(person.reset(person.add_link(LinkPurpose.RESET_PASSWORD), "short"), Invalid)


def _confirm_with_nothing(person: Person) -> None:
    assert isinstance(confirm_email(person.realm, "lt_none", IP), Refused)


def _end_no_session(person: Person) -> None:
    assert isinstance(end_session(person.realm, person.bearer(person.sign_in()), "none", IP), Refused)


def _sign_in_twice(person: Person) -> None:
    person.sign_in("phone")
    person.sign_in("phone")


def _retry_late(person: Person) -> None:
    answer = person.sign_in()
    person.refresh(answer)
    clock = person.realm.clock
    assert isinstance(clock, ManualClock)
    clock.advance(timedelta(hours=1))
    assert isinstance(person.refresh(answer), TokenAnswer)


def _lapse(person: Person) -> None:
    answer = person.sign_in()
    person.refresh(answer)
    clock = person.realm.clock
    assert isinstance(clock, ManualClock)
    clock.advance(timedelta(days=2))
    person.refresh(answer)


def _register_client(person: Person) -> str:
    registration = ClientRegistration("Other", ClientKind.CONFIDENTIAL, redirect_uris=("https://app.example/",))
    registered = register_client(person.realm, registration, by=BY)
    assert isinstance(registered, RegisteredClient)
    return registered.client.client_id


def _end_former_secret(person: Person) -> None:
    client_id = _register_client(person)
    rotate_secret(person.realm, client_id, overlap=timedelta(hours=1), by=BY)
    end_former_secret(person.realm, client_id, by=BY)


def _make_registration_token(person: Person) -> str:
    offer = Offer(scope=("read",), audience=(), uses=1, lifetime=timedelta(hours=1))
    made = make_registration_token(person.realm, offer, by=BY)
    assert isinstance(made, MadeToken)
    return made.token.token_id


def _disable_client(person: Person) -> str:
    client_id = _register_client(person)
    disable_client(person.realm, client_id, BY)
    return client_id


def _compromise_key(person: Person) -> None:
    with person.realm.database.write() as tx:
        event = events.SigningKeyCompromised(person.realm.keyring.current.signing_key.kid)
        person.realm.revocation.apply(tx, event, by=BY, now=person.realm.clock.now())


def _allow_app(person: Person) -> tuple[SignedInBrowser, str]:
    realm, app = person.realm, register_app(person.realm).client
    device = BrowserSignIn(person.email, Secret(PASSWORD), None, None, RequestSource(IP, "test"))
    signed_in = sign_in_browser(realm, device)
    assert isinstance(signed_in, BrowserSignedIn)
    browser = find_browser_session(realm, signed_in.cookie)
    assert browser is not None
    asked = {"response_type": "code", "client_id": app.client_id, "redirect_uri": CALLBACK}
    text = urlencode({**asked, "code_challenge": CHALLENGE, "code_challenge_method": "S256"})
    pending = begin_pending(realm, text, AUTHORIZATION.name).ask(browser.sid)
    allowed = authorize(realm, pending, browser, CHECKS, ip=IP, decision=Decision.ALLOW)
    assert isinstance(allowed, AuthorizationAnswer)
    return browser, app.client_id


def _disconnect_app(person: Person) -> None:
    assert disconnect(person.realm, *_allow_app(person), IP) == 0


def _disconnect_no_app(person: Person) -> None:
    assert isinstance(disconnect(person.realm, person.bearer(person.sign_in()), "none", IP), Refused)


_UNDOES: dict[type[events.CredentialEvent], Callable[[str], events.CredentialEvent]] = {
    events.UserUnlocked: events.UserLocked,
    events.UserEnabled: events.UserDisabled,
}


def _apply(kind: type[events.CredentialEvent]) -> Callable[[Person], object]:
    def act(person: Person) -> object:
        sid = person.sign_in().sid
        if kind in _UNDOES:
            person.apply(_UNDOES[kind](person.user_id))
        facts: dict[str, Any] = {
            "user_id": person.user_id,
            "sid": sid,
            "fam": "fam",
            "email": person.email,
            "roles": ("auditor",),
            "password_hash": "hash",
            "replaces": "hash",
            "link_issued_at": person.realm.clock.now(),
        }
        return person.apply(kind(**{field.name: facts[field.name] for field in fields(kind)}))

    return act


ACTS: dict[AuditName, tuple[Callable[[Person], object], ...]] = {
    AuditName.LOGIN_SUCCESS: (lambda person: person.sign_in(),),
    AuditName.LOGIN_FAIL: (_sign_in_wrongly,),
    AuditName.PASSWORD_CHANGE_FAIL: (_change_wrongly, _reset_with_nothing, _reset_to_a_short_password),
    AuditName.LINK_FAIL: (_confirm_with_nothing,),
    AuditName.AUTHZ_FAIL: (_end_no_session, _disconnect_no_app),
    AuditName.CONSENT_GRANTED: (_allow_app,),
    AuditName.CONSENT_REVOKED: (_disconnect_app,),
    AuditName.REAUTHENTICATION_FAIL: (_delete_wrongly,),
    AuditName.TOKEN_LATE_RETRY: (_retry_late,),
    AuditName.TOKEN_REVOKED: (_lapse,),
    AuditName.SESSION_REPLACED: (_sign_in_twice,),
    AuditName.USER_CREATED: (lambda _: None,),
    AuditName.CLIENT_CREATED: (lambda _: None,),
    AuditName.CLIENT_UPDATED: (
        lambda person: update_client(person.realm, _register_client(person), {"name": "Another"}, by=BY),
    ),
    AuditName.CLIENT_SECRET_ROTATED: (lambda person: rotate_secret(person.realm, _register_client(person), by=BY),),
    AuditName.CLIENT_SECRET_ENDED: (_end_former_secret,),
    AuditName.REGISTRATION_TOKEN_CREATED: (_make_registration_token,),
    AuditName.REGISTRATION_TOKEN_ENDED: (
        lambda person: end_registration_token(person.realm, _make_registration_token(person), by=BY),
    ),
    AuditName.CLIENT_DISABLED: (_disable_client,),
    AuditName.CLIENT_ENABLED: (lambda person: enable_client(person.realm, _disable_client(person), by=BY),),
    AuditName.CLIENT_DELETED: (lambda person: delete_client(person.realm, _disable_client(person), by=BY),),
    AuditName.SIGNING_KEY_COMPROMISED: (_compromise_key,),
    **{
        name: tuple(_apply(event) for event in EVENTS if event.audit_name is name)
        for name in AuditName
        if any(event.audit_name is name and issubclass(event, UserEvent) for event in EVENTS)
    },
}
ELSEWHERE = {
    *key_custody._AUDIT_NAMES.values(),
    AuditName.KEYS_REWRAPPED,
    AuditName.DATABASE_RESTORED,
    AuditName.MAIL_GIVEN_UP,
    AuditName.LOGOUT_GIVEN_UP,
}
"""Tested with the keys, with `db restored` and with the outbox."""


@pytest.mark.parametrize("name", ACTS, ids=str)
def test_each_act_leaves_one_record_as_documented(realm: Realm, name: AuditName) -> None:
    """ASVS 16.2.1: who, what, when, where; ASVS 16.3.1: successes and failures of authentication; I8: one for each."""
    outcome, about, detail = inventory()[name]
    for act in ACTS[name]:
        person = Person(realm)
        before = {record.event_id for record in records(realm)}
        act(person)
        written = [record for record in records(realm, name) if record.event_id not in before]
        if name not in {AuditName.USER_CREATED, AuditName.CLIENT_CREATED}:
            assert len(written) == 1
        else:
            written = records(realm, name)[:1]
        (record,) = written
        assert (record.name, record.outcome, record.at) == (name.value, outcome, realm.clock.now())
        assert record.actor.name
        assert record.detail.keys() == detail - {"jti"}
        assert not about or record.detail["event"] in about
        assert all(isinstance(value, str | int | bool | None) for value in record.detail.values())


def test_every_audit_name_is_tested() -> None:
    """Of the key records, this file tests only that the inventory lists their members."""
    assert ACTS.keys() | ELSEWHERE == set(AuditName)
    for step, name in key_custody._AUDIT_NAMES.items():
        carried = {field.name for field in fields(step)} | {"new"}
        assert (name, inventory()[name][2]) == (name, carried), step
    assert key_custody._AUDIT_NAMES[Compromise] is AuditName.MAC_KEY_COMPROMISED


def test_every_name_is_written_by_code() -> None:
    package = Path(__file__).parents[2] / "authserver"
    text = "".join(path.read_text() for path in package.rglob("*.py") if path.name != "audit_name.py")
    assert [name for name in AuditName if not re.search(rf"\bAuditName\.{name.name}\b", text)] == []


def test_an_event_about_an_unknown_user_is_a_failure(realm: Realm) -> None:
    """An embedder that gives a wrong id finds out from the record and from the receipt."""
    with realm.database.write() as tx:
        receipt = realm.revocation.apply(tx, events.SignedOutByAdmin("nobody"), by=BY, now=realm.clock.now())
    (record,) = records(realm, AuditName.SESSION_REVOKED)
    assert (record.outcome, record.detail["reason"], receipt.token_version) == ("failure", "no_such_user", None)


# --- sign-ins --------------------------------------------------------------------------------------------------------


def attempt(email: str, password: str, user_agent: str = "test") -> SignIn:
    return SignIn(email, Secret(password), "first-party", None, DeviceClaim(None, None), RequestSource(IP, user_agent))


def test_a_sign_in_is_one_record_with_its_session(realm: Realm) -> None:
    """I8, ASVS 16.3.1."""
    person = Person(realm)
    answer = person.sign_in()
    (record,) = [one for one in records(realm) if one.user_id == person.user_id and one.name != "user_created"]
    assert (record.name, record.sid, record.client_id) == ("authn_login_success", answer.sid, "first-party")
    assert record.actor == Actor(person.user_id, IP)


def test_a_password_change_is_one_record_and_no_sign_in(realm: Realm) -> None:
    """I8: the renewed session belongs to the change."""
    person = Person(realm)
    bearer = person.bearer(person.sign_in())
    before = {record.event_id for record in records(realm)}
    person.change_password(bearer)
    assert [one.name for one in records(realm) if one.event_id not in before] == ["authn_password_change"]


@pytest.mark.parametrize(
    ("prepare", "email", "password", "reason"),
    [
        (None, "nobody@example.test", PASSWORD, "unknown_address"),
        (None, "no address at all", PASSWORD, "unknown_address"),
        (None, None, "wrong", "wrong_password"),
        (None, None, "a\0b", "invalid_character"),
        (events.UserLocked, None, PASSWORD, "user_locked"),
        (events.UserDisabled, None, PASSWORD, "user_disabled"),
    ],
)
def test_a_failed_sign_in_records_the_reason_and_no_input(
    realm: Realm, prepare: type[events.CredentialEvent] | None, email: str | None, password: str, reason: str
) -> None:
    """ASVS 16.3.1, 16.2.5: people type passwords into the address field."""
    person = Person(realm)
    if prepare is not None:
        made: Any = prepare
        person.apply(made(person.user_id))
    outcome = sign_in(realm, attempt(email or person.email, password))
    assert isinstance(outcome, Refused)
    (record,) = records(realm, AuditName.LOGIN_FAIL)
    assert (record.outcome, record.detail["reason"]) == ("failure", reason)
    assert record.user_id == (person.user_id if email is None else None)
    text = json.dumps([str(value) for value in (record.actor.name, *record.detail.values())])
    assert "example.test" not in text
    assert "no address" not in text


def test_known_and_unknown_addresses_cause_the_same_statements(realm: Realm, recording: Recording) -> None:
    """ASVS 6.3.8: writing the record of a failure does not reveal whether the address is known."""
    active, locked, disabled = Person(realm), Person(realm), Person(realm)
    locked.apply(events.UserLocked(locked.user_id))
    disabled.apply(events.UserDisabled(disabled.user_id))
    sent = []
    sign_in(realm, attempt("nobody@example.test", PASSWORD))  # fills the caches before the comparison
    for email, password in (
        ("nobody@example.test", PASSWORD),
        (active.email, "wrong"),
        (locked.email, "wrong"),
        (locked.email, PASSWORD),
        (disabled.email, PASSWORD),
    ):
        with recording() as statements:
            assert isinstance(sign_in(realm, attempt(email, password)), Refused)
        sent.append([" ".join(statement.split()[:3]) for statement in statements])
    assert sent == [sent[0]] * len(sent)


# --- other failures --------------------------------------------------------------------------------------------------


def test_a_refused_new_password_is_recorded_with_its_reason(realm: Realm) -> None:
    """Cheat sheet "Logging vocabulary": authn_password_change_fail."""
    person = Person(realm)
    outcome = person.change_password(person.bearer(person.sign_in()), "short")
    assert isinstance(outcome, Invalid)
    (record,) = records(realm, AuditName.PASSWORD_CHANGE_FAIL)
    assert (record.detail["act"], record.detail["reason"]) == ("change_password", "too_short")


def test_a_wrong_password_at_a_change_of_address_is_recorded(realm: Realm) -> None:
    person = Person(realm)
    bearer = person.bearer(person.sign_in())
    ask_email_change(realm, Recent(bearer), new_email="new@example.test", password=Secret("wrong"))
    (record,) = records(realm, AuditName.REAUTHENTICATION_FAIL)
    assert (record.detail["act"], record.user_id, record.sid) == ("change_email", person.user_id, bearer.sid)


def test_a_user_who_registers_is_the_actor(realm: Realm) -> None:
    outcome = register(realm, email="new@example.test", password=Secret(NEW_PASSWORD), name="New", ip=IP)
    assert isinstance(outcome, Registered)
    (record,) = records(realm, AuditName.USER_CREATED)
    assert (record.user_id, record.actor) == (outcome.user_id, Actor(outcome.user_id, IP))
    assert isinstance(register(realm, email="new@example.test", password=Secret(NEW_PASSWORD), name="New"), Refused)
    assert len(records(realm, AuditName.USER_CREATED)) == 1


def test_the_record_of_a_deleted_user_stays(realm: Realm) -> None:
    person = Person(realm)
    person.apply(events.UserDeleted(person.user_id))
    with realm.database.read() as tx:
        assert users.find(tx, person.user_id) is None
    names = [one.name for one in list_audit(realm.database, AuditFilter(user_id=person.user_id), limit=10)]
    assert sorted(names) == ["user_created", "user_deleted"]


def test_no_record_holds_a_secret(realm: Realm) -> None:
    """ASVS 16.2.5: neither passwords nor hashes nor tokens nor addresses."""
    person = Person(realm)
    first, second = person.sign_in(), person.sign_in()
    person.change_password(person.bearer(first))
    sign_out_elsewhere(realm, person.bearer(person.sign_in(password=NEW_PASSWORD)), IP)
    sign_out(realm, person.bearer(person.sign_in(password=NEW_PASSWORD)), IP)
    person.refresh(second)
    text = " ".join(repr(record) for record in records(realm))
    secrets = (PASSWORD, NEW_PASSWORD, "$argon2", person.email, "eyJ", "rt_")
    assert [secret for secret in secrets if secret in text] == []


def test_control_characters_are_stored_on_one_line(realm: Realm) -> None:
    """ASVS 16.4.1, F37: a text with control characters is read as it was written, and stored on one line."""
    sign_in(realm, attempt("nobody@example.test", "wrong", user_agent=NASTY))
    (record,) = records(realm, AuditName.LOGIN_FAIL)
    assert record.detail["user_agent"] == NASTY
    with realm.database.read() as tx:
        (stored,) = tx.exec_driver_sql("SELECT detail FROM audit_events WHERE outcome = 'failure'").scalars()
    assert stored.isascii()
    assert stored.isprintable()


# --- how it is read --------------------------------------------------------------------------------------------------


def write(realm: Realm, count: int, user_id: str = "u", name: AuditName = AuditName.LOGIN_FAIL) -> None:
    with realm.database.write() as tx:
        for _ in range(count):
            audit.write(tx, name, by=BY, now=realm.clock.now(), entropy=realm.entropy, user_id=user_id)


def test_pages_have_no_gaps_and_no_repetitions(
    realm: Realm, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This also holds when many records have the same instant."""
    monkeypatch.setattr("authserver.administration.read_audit.PAGE", 3)
    for count in (5, 1, 4):
        write(realm, count)
        clock.advance(timedelta(seconds=1))
    listed = list(list_audit(realm.database, AuditFilter(user_id="u"), limit=1000))
    assert len(listed) == len({record.event_id for record in listed}) == 10
    assert [record.at for record in listed] == sorted((record.at for record in listed), reverse=True)
    assert list(list_audit(realm.database, AuditFilter(user_id="u"), limit=7)) == listed[:7]


def test_filters_narrow_by_user_name_and_time(realm: Realm, clock: ManualClock) -> None:
    start = clock.now()
    write(realm, 1, "a", AuditName.LOGIN_FAIL)
    clock.advance(timedelta(hours=1))
    write(realm, 1, "a", AuditName.LOGIN_SUCCESS)
    write(realm, 1, "b", AuditName.LOGIN_SUCCESS)

    def count(**wanted: Any) -> int:  # noqa: ANN401 - the filter's own fields
        return len(list(list_audit(realm.database, AuditFilter(**wanted), limit=100)))

    assert count(user_id="a") == 2
    assert count(user_id="a", name=AuditName.LOGIN_SUCCESS) == 1
    assert count(user_id="a", without=frozenset({AuditName.LOGIN_SUCCESS})) == 1
    assert count(user_id="a", since=start + timedelta(hours=1)) == 1
    assert count(user_id="a", until=start + timedelta(hours=1)) == 1
    assert count(user_id="c") == 0


def test_a_tail_yields_each_record_once_even_a_late_one(realm: Realm, clock: ManualClock) -> None:
    """After a long transaction, or on a node whose clock is behind, a new record is older than the newest one."""
    write(realm, 3)
    tail = AuditTail(realm.database, AuditFilter(user_id="u"))
    clock.advance(timedelta(minutes=5))
    write(realm, 2)
    assert [record.at for record in tail.read_newest(1)] == [clock.now()]
    assert tail.read_added() == []
    late = clock.now() - timedelta(seconds=20)
    with realm.database.write() as tx:
        audit.write(tx, AuditName.LOGIN_FAIL, by=BY, now=late, entropy=SeededEntropy(9), user_id="u")
    write(realm, 1)
    assert [record.at for record in tail.read_added()] == [late, clock.now()]
    assert tail.read_added() == []


def test_a_tail_of_an_empty_record_is_empty(realm: Realm) -> None:
    tail = AuditTail(realm.database, AuditFilter(user_id="u"))
    assert tail.read_newest(10) == []
    write(realm, 2)
    assert len(tail.read_added()) == 2
    assert tail.read_added() == []


def test_the_record_of_an_event_counts_ended_sessions(realm: Realm) -> None:
    person = Person(realm)
    for _ in range(3):
        person.sign_in()
    assert events.SignedOutByAdmin.POLICY.reach is Reach.ALL
    person.apply(events.SignedOutByAdmin(person.user_id))
    (record,) = records(realm, AuditName.SESSION_REVOKED)
    assert (record.detail["sessions_ended"], record.detail["sessions_kept"], record.detail["mode"]) == (3, 0, "hard")
