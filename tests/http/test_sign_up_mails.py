"""Registering where addresses must be confirmed (contract §3)."""

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from authserver.realm import Realm, Registration
from tests.support.people.api import Api, content, field_errors, problem
from tests.support.people.credentials import assert_no_password, assert_password
from tests.support.people.mail import deliver_all, read_link, read_link_page
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, ISSUER, PASSWORD, add_user

OTHER_PASSWORD = "a stapler for every horse"
Recording = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def strict(realm: Realm) -> Api:
    """The API of an installation that wants addresses confirmed."""
    return Api(dataclasses.replace(realm, registration=Registration(open=True, require_verified_email=True)))


def _register(api: Api, email: str = EMAIL, password: str = PASSWORD) -> None:
    assert content(api.post("/register", {"email": email, "password": password, "name": "Ada"}), 202) == {}


def test_the_answer_and_the_work_are_the_same_for_a_taken_address(
    strict: Api, realm: Realm, recording: Recording
) -> None:
    """ASVS 6.3.8; a mail in both cases."""
    add_user(realm, "taken@example.test")
    answers = []
    for email in ("taken@example.test", EMAIL):
        with recording() as statements:
            response = strict.post("/register", {"email": email, "password": PASSWORD})
        shapes = [statement.partition("VALUES")[0] for statement in statements]
        answers.append((response.status_code, response.text, dict(response.headers), shapes))
    assert answers[0] == answers[1]
    assert answers[0][0] == 202
    assert sorted(str(mail["To"]) for mail in deliver_all(realm)) == [EMAIL, "taken@example.test"]


def test_whoever_registers_confirms_and_signs_in(strict: Api, realm: Realm) -> None:
    _register(strict)
    (mail,) = deliver_all(realm)
    assert read_link_page(mail) == f"{ISSUER}/email/confirm"
    assert PASSWORD not in mail.as_string()
    problem(strict.login(), 403, "email_not_verified")
    assert content(strict.post("/email/confirm", {"token": read_link(mail)}), 200) == {"revocation": None}
    account = content(strict.get("/account", strict.sign_in()["access_token"]), 200)
    assert (account["email"], account["email_verified"], account["name"]) == (EMAIL, True, "Ada")


def test_registering_a_taken_address_changes_nothing_about_it(strict: Api, realm: Realm, user_id: str) -> None:
    _register(strict, password=OTHER_PASSWORD)
    (mail,) = deliver_all(realm)
    assert_no_password(strict, OTHER_PASSWORD)
    assert_password(strict, PASSWORD)
    problem(strict.post("/email/confirm", {"token": read_link(mail)}), 400, "invalid_link")


def test_what_is_wrong_with_the_input_is_told_for_every_address(strict: Api, user_id: str) -> None:
    """It says nothing about the address."""
    for email in (EMAIL, "unknown@example.test"):
        assert field_errors(strict.post("/register", {"email": email, "password": "short"})) == {
            "password": "too_short"
        }


def test_a_link_works_once(strict: Api, realm: Realm) -> None:
    """ASVS 6.4.1."""
    _register(strict)
    token = read_link(deliver_all(realm)[0])
    content(strict.post("/email/confirm", {"token": token}), 200)
    problem(strict.post("/email/confirm", {"token": token}), 400, "invalid_link")


def test_a_link_works_for_a_day_and_another_one_can_be_had(strict: Api, realm: Realm, clock: ManualClock) -> None:
    """ASVS 6.4.1."""
    _register(strict)
    first = read_link(deliver_all(realm)[0])
    clock.advance(timedelta(days=1))
    problem(strict.post("/email/confirm", {"token": first}), 400, "invalid_link")
    content(strict.post("/email/resend", {"email": EMAIL}), 202)
    content(strict.post("/email/confirm", {"token": read_link(deliver_all(realm)[0])}), 200)
    strict.sign_in()


def test_asking_for_another_link_tells_nothing(strict: Api, realm: Realm, user_id: str, recording: Recording) -> None:
    """ASVS 6.3.8: unknown, confirmed, waiting."""
    _register(strict, "waiting@example.test")
    deliver_all(realm)
    answers = []
    for email in ("unknown@example.test", EMAIL, "waiting@example.test"):
        with recording() as statements:
            response = strict.post("/email/resend", {"email": email})
        shapes = [statement.partition("VALUES")[0] for statement in statements]
        answers.append((response.status_code, response.text, dict(response.headers), shapes))
    assert answers[0] == answers[1] == answers[2]
    assert [mail["To"] for mail in deliver_all(realm)] == ["waiting@example.test"]


def test_asking_for_another_link_is_limited_by_network_address(realm: Realm) -> None:
    api = Api(realm, "1 per 10 minutes")
    statuses = [api.post("/email/resend", {"email": f"u{n}@example.test"}).status_code for n in range(101)]
    assert statuses == [202] * 100 + [429]


def test_a_mailbox_is_not_flooded_by_it(strict: Api, realm: Realm, clock: ManualClock) -> None:
    _register(strict)
    for _ in range(10):
        content(strict.post("/email/resend", {"email": EMAIL}), 202)
    assert len(deliver_all(realm)) <= 3
