"""Nothing that was set before an address was proven outlives the proof (decision 30)."""

import dataclasses
from datetime import timedelta
from email.message import EmailMessage

import pytest
import sqlalchemy

from authserver.account.confirm_address import confirm_email
from authserver.credentials.events import RolesChanged, UserDisabled
from authserver.realm import Realm, Registration
from authserver.records.consent import Consent
from authserver.records.link import LinkPurpose
from authserver.records.user import NewUser, User
from authserver.storage import consents, registrations, users
from authserver.storage.schema import PendingRegistration
from authserver.storage.schema import User as UserRow
from tests.support.people.api import Api, content, problem
from tests.support.people.credentials import NEW_PASSWORD, assert_ended, assert_no_password, assert_password, carry_out
from tests.support.people.mail import deliver_all, read_link, read_link_page, read_text
from tests.support.people.pages import Form, Pages, read_page
from tests.support.people.person import Person
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, ISSUER, PASSWORD, add_user

STRANGERS = "the plans of a stranger"
OWNERS = "what only the owner knows"
DAY = timedelta(days=1)


@pytest.fixture
def strict(realm: Realm) -> Api:
    """An installation where addresses have to be confirmed."""
    return Api(dataclasses.replace(realm, registration=Registration(open=True, require_verified_email=True)))


def _register(api: Api, password: str, name: str = "", email: str = EMAIL) -> None:
    assert content(api.post("/register", {"email": email, "password": password, "name": name}), 202) == {}


def _mail_of(realm: Realm) -> EmailMessage:
    (mail,) = deliver_all(realm)
    return mail


def _confirm(api: Api, mail: EmailMessage) -> object:
    return content(api.post("/email/confirm", {"token": read_link(mail)}), 200)["revocation"]


def _find(realm: Realm, email: str = EMAIL) -> User | None:
    with realm.database.read() as tx:
        return users.find_by_email(tx, email)


def _load(realm: Realm, email: str = EMAIL) -> User:
    user = _find(realm, email)
    assert user is not None
    return user


def _count(realm: Realm) -> int:
    with realm.database.read() as tx:
        return tx.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(PendingRegistration)).scalar_one()


def _add_unproven(realm: Realm, email: str = EMAIL, roles: tuple[str, ...] = ()) -> str:
    """An account whose address nobody has proved, as an import or an earlier release left it."""
    user_id = add_user(realm, email, STRANGERS, roles)
    with realm.database.write() as tx:
        profile = {"email_verified": False, "name": "Mallory", "phone_number": "+4930123456", "address": "A street"}
        tx.execute(sqlalchemy.update(UserRow).where(UserRow.user_id == user_id).values(**profile))
        consents.remember(
            tx, Consent(user_id, "first-party", frozenset({"openid"}), frozenset(), granted_at=realm.clock.now())
        )
    return user_id


# --- where addresses are confirmed ------------------------------------------------------------------------------------


def test_whoever_registers_first_has_nothing_after_the_owner_confirmed(strict: Api, realm: Realm) -> None:
    _register(strict, STRANGERS, "Mallory")
    strangers = _mail_of(realm)
    _register(strict, OWNERS, "Ada")
    assert _confirm(strict, _mail_of(realm)) is None
    assert_password(strict, OWNERS)
    assert_no_password(strict, STRANGERS)
    assert _load(realm).name == "Ada"
    problem(strict.post("/email/confirm", {"token": read_link(strangers)}), 400, "invalid_link")
    assert_password(strict, OWNERS)


def test_whoever_registers_last_has_nothing_either(strict: Api, realm: Realm) -> None:
    """The link decides, not the order."""
    _register(strict, OWNERS, "Ada")
    owners = _mail_of(realm)
    _register(strict, STRANGERS, "Mallory")
    deliver_all(realm)
    _confirm(strict, owners)
    assert_password(strict, OWNERS)
    assert_no_password(strict, STRANGERS)
    assert (_load(realm).name, _count(realm)) == ("Ada", 0)


def test_a_registration_is_nobody_before_its_link_is_used(strict: Api, realm: Realm) -> None:
    _register(strict, STRANGERS)
    mail = _mail_of(realm)
    assert _find(realm) is None
    problem(strict.login(EMAIL, STRANGERS), 403, "email_not_verified")
    assert_no_password(strict, OWNERS)
    with realm.database.write() as tx:
        assert users.add(tx, NewUser("u", EMAIL, "", None, (), email_verified=True), realm.clock.now())
    problem(strict.post("/email/confirm", {"token": read_link(mail)}), 409, "email_taken")
    assert _count(realm) == 0


def test_with_several_mails_in_the_mailbox_each_says_when_it_was_asked_for(
    strict: Api, realm: Realm, clock: ManualClock
) -> None:
    """They look alike, and the one that is opened decides."""
    _register(strict, STRANGERS)
    first = read_text(_mail_of(realm))
    clock.advance(timedelta(minutes=7))
    _register(strict, OWNERS)
    second = read_text(_mail_of(realm))
    assert "more than once" not in first
    assert "Open this link only if you asked at the time above." in " ".join(second.split())
    assert f"{clock.now():%H:%M} UTC" in second
    assert f"{clock.now():%H:%M} UTC" not in first


def test_asking_again_mails_a_link_to_each_registration_that_waits(
    strict: Api, realm: Realm, clock: ManualClock
) -> None:
    """Also after the first links have expired; no link of an earlier mail is taken away."""
    _register(strict, STRANGERS)
    clock.advance(timedelta(hours=1))
    _register(strict, OWNERS)
    early = deliver_all(realm)
    clock.advance(timedelta(hours=2))
    content(strict.post("/email/resend", {"email": EMAIL}), 202)
    late = deliver_all(realm)
    assert len({read_link(mail) for mail in (*early, *late)}) == 4
    asked = f"{clock.now() - timedelta(hours=2):%Y-%m-%d %H:%M} UTC"
    (newest,) = [mail for mail in late if asked in read_text(mail)]
    clock.advance(DAY - timedelta(hours=1))
    _confirm(strict, newest)
    assert_password(strict, OWNERS)


def test_a_registration_waits_for_a_week(strict: Api, realm: Realm, clock: ManualClock) -> None:
    _register(strict, OWNERS)
    deliver_all(realm)
    clock.advance(7 * DAY)
    content(strict.post("/email/resend", {"email": EMAIL}), 202)
    assert deliver_all(realm) == []
    assert_no_password(strict, OWNERS)


def test_few_registrations_of_one_address_wait(strict: Api, realm: Realm, clock: ManualClock) -> None:
    """One more takes the place of the oldest."""
    mails = []
    for number in range(8):
        _register(strict, f"{OWNERS} {number}")
        mails += deliver_all(realm)
        clock.advance(timedelta(hours=2))
    with realm.database.read() as tx:
        waiting = registrations.list_kept(tx, EMAIL, clock.now())
    assert (len(mails), len(waiting)) == (8, 5)
    problem(strict.post("/email/confirm", {"token": read_link(mails[0])}), 400, "invalid_link")
    _confirm(strict, mails[3])
    assert_password(strict, f"{OWNERS} 3")


def test_the_owner_can_disown_a_registration_on_the_page(strict: Api, realm: Realm) -> None:
    _register(strict, STRANGERS)
    mail = _mail_of(realm)
    _register(strict, OWNERS)
    owners = _mail_of(realm)
    pages = Pages(strict)
    form = Form(pages.get("/email/confirm", token=read_link(mail)).text)
    told = pages.post(form.action, None, **{**form.values, "disown": "yes"})
    assert "The registration is deleted" in read_page(told)
    problem(strict.post("/email/confirm", {"token": read_link(mail)}), 400, "invalid_link")
    _confirm(strict, owners)
    assert_password(strict, OWNERS)


# --- accounts that nobody proved: imports, installations that ask for no proof, earlier releases ---------------------


@pytest.mark.parametrize("ask", ["/password/forgot", "/email/resend", "/register"])
def test_the_proof_leaves_nothing_of_what_was_there_before(strict: Api, realm: Realm, ask: str) -> None:
    """Whatever the owner does to get in, the mail leads to a password of their choice."""
    user_id = _add_unproven(realm)
    lax = Api(realm)
    tokens = content(lax.login(EMAIL, STRANGERS), 200)
    body = {"email": EMAIL} | ({"password": OWNERS} if ask == "/register" else {})
    content(strict.post(ask, body), 202)
    mail = _mail_of(realm)
    assert read_link_page(mail) == f"{ISSUER}/reset"
    assert "Mallory" not in mail.as_string()
    content(strict.post("/password/reset", {"token": read_link(mail), "new_password": NEW_PASSWORD}), 200)
    assert_ended(lax, tokens)
    assert_no_password(lax, STRANGERS)
    assert_password(strict, NEW_PASSWORD)
    user = _load(realm)
    assert (user.user_id, user.email_verified) == (user_id, True)
    assert (user.name, user.phone_number, user.address) == ("", "", "")
    with realm.database.read() as tx:
        assert consents.find(tx, user_id, "first-party") is None


def test_a_reset_of_a_proven_account_keeps_the_profile(api: Api, realm: Realm, user_id: str) -> None:
    content(api.post("/password/forgot", {"email": EMAIL}), 202)
    link = read_link(_mail_of(realm))
    content(api.post("/password/reset", {"token": link, "new_password": NEW_PASSWORD}), 200)
    assert _load(realm).name == "Ada"


def test_an_unproven_account_gives_its_address_to_a_user_who_proves_it(api: Api, realm: Realm) -> None:
    """It does not block the owner, who is told what the link does."""
    squatter = _add_unproven(realm, "mine@example.test")
    strangers = content(api.login("mine@example.test", STRANGERS), 200)
    add_user(realm)
    tokens = api.sign_in()
    body = {"new_email": "mine@example.test", "current_password": PASSWORD}
    content(api.post("/account/email", body, tokens["access_token"]), 202)
    mails = {str(mail["To"]): mail for mail in deliver_all(realm)}
    assert "That account is deleted" in " ".join(read_text(mails["mine@example.test"]).split())
    assert _confirm(api, mails["mine@example.test"]) is not None
    assert_password(api, PASSWORD, "mine@example.test")
    assert_no_password(api, STRANGERS, "mine@example.test")
    problem(api.get("/account", strangers["access_token"]), 401, "session_revoked")
    with realm.database.read() as tx:
        assert users.find(tx, squatter) is None


@pytest.mark.parametrize("kept", ["proven", "role", "disabled"])
def test_an_account_that_is_proven_or_an_operators_business_gives_nothing_away(
    api: Api, realm: Realm, kept: str
) -> None:
    other = add_user(realm, "theirs@example.test") if kept == "proven" else _add_unproven(realm, "theirs@example.test")
    add_user(realm)
    tokens = api.sign_in()
    body = {"new_email": "theirs@example.test", "current_password": PASSWORD}
    content(api.post("/account/email", body, tokens["access_token"]), 202)
    mail = next(mail for mail in deliver_all(realm) if mail["To"] == "theirs@example.test")
    if kept == "proven":
        assert "?token=" not in mail.as_string()
        return
    carry_out(realm, RolesChanged(other, ("editor",)) if kept == "role" else UserDisabled(other), other)
    problem(api.post("/email/confirm", {"token": read_link(mail)}), 409, "email_taken")
    assert _load(realm, "theirs@example.test").user_id == other


def test_a_link_that_confirmed_an_unproven_account_before_the_upgrade_works_no_more(realm: Realm, strict: Api) -> None:
    """It would have made the password of whoever registered the account good."""
    person = Person(realm)
    link = person.add_link(LinkPurpose.CONFIRM_EMAIL)
    problem(strict.post("/email/confirm", {"token": link}), 400, "invalid_link")
    assert confirm_email(realm, link, "192.0.2.1") is not None
