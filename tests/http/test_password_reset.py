"""`POST /api/password/forgot` and `/api/password/reset` (contract §3, design §5)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select

from authserver.credentials.events import UserDisabled, UserLocked
from authserver.protocol import base64url
from authserver.realm import Realm
from authserver.storage.schema import Base
from tests.support.people.api import Api, content, field_errors, problem
from tests.support.people.credentials import (
    NEW_PASSWORD,
    assert_ended,
    assert_lives,
    assert_no_password,
    assert_password,
    carry_out,
    change,
)
from tests.support.people.mail import deliver_all, has_link, read_link, read_link_page
from tests.support.world.clock import START, ManualClock
from tests.support.world.realm import EMAIL, ISSUER, PASSWORD, add_user

NOW = int(START.timestamp())
Recording = Callable[[], AbstractContextManager[list[str]]]


def _ask(api: Api, email: str = EMAIL) -> None:
    content(api.post("/password/forgot", {"email": email}), 202)


def _link(api: Api, realm: Realm) -> str:
    """The token of a link that was just mailed to the user."""
    _ask(api)
    (mail,) = deliver_all(realm)
    return read_link(mail)


def _reset(api: Api, token: str, password: str = NEW_PASSWORD) -> dict[str, object]:
    return content(api.post("/password/reset", {"token": token, "new_password": password}), 200)


def _assert_dead(api: Api, token: str) -> None:
    problem(api.post("/password/reset", {"token": token, "new_password": "nobody will ever type"}), 400, "invalid_link")


# --- asking ----------------------------------------------------------------------------------------------------------


def test_whoever_asks_learns_nothing(api: Api, realm: Realm, user_id: str, recording: Recording) -> None:
    """ASVS 6.3.8, Forgot password sheet: the same text, headers and statements, known or not, locked or disabled."""
    carry_out(realm, UserLocked(locked := add_user(realm, "locked@example.test")), locked)
    carry_out(realm, UserDisabled(gone := add_user(realm, "gone@example.test")), gone)
    answers = []
    for email in ("unknown@example.test", EMAIL, "locked@example.test", "gone@example.test"):
        with recording() as statements:
            response = api.post("/password/forgot", {"email": email})
        shapes = [statement.partition("VALUES")[0] for statement in statements]
        answers.append((response.status_code, response.text, dict(response.headers), shapes))
    assert answers[0] == answers[1] == answers[2] == answers[3]
    malformed = api.post("/password/forgot", {"email": "no address"})
    assert (malformed.status_code, malformed.text, dict(malformed.headers)) == answers[0][:3]
    assert sorted(str(mail["To"]) for mail in deliver_all(realm)) == [EMAIL, "locked@example.test"]


def test_the_link_begins_with_the_issuer_whatever_host_was_asked(api: Api, realm: Realm, user_id: str) -> None:
    """Forgot password sheet: from the configuration, never from the request."""
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    assert api.call("POST", "/password/forgot", json={"email": EMAIL}, headers=headers).status_code == 202
    (mail,) = deliver_all(realm)
    assert read_link_page(mail) == f"{ISSUER}/reset"
    assert "evil" not in mail.as_string()


def test_an_address_may_be_spelled_in_any_way(api: Api, realm: Realm, user_id: str) -> None:
    _ask(api, f" {EMAIL.upper()} ")
    assert [mail["To"] for mail in deliver_all(realm)] == [EMAIL]


def test_asking_is_limited_by_network_address(realm: Realm, user_id: str) -> None:
    api = Api(realm, "1 per 10 minutes")
    statuses = [api.post("/password/forgot", {"email": f"u{n}@example.test"}).status_code for n in range(101)]
    assert statuses == [202] * 100 + [429]


def test_a_stranger_who_asks_all_day_floods_no_mailbox_and_kills_no_link(
    api: Api, realm: Realm, user_id: str, clock: ManualClock
) -> None:
    """Forgot password sheet: limited for the account, and nobody is locked out by it."""
    owners = _link(api, realm)
    mails = 0
    for _ in range(13):
        for _ in range(4):
            _ask(api)
        mails += len(deliver_all(realm))
        clock.advance(timedelta(minutes=1))
    assert mails <= 3
    _reset(api, owners)
    for _ in range(24):
        clock.advance(timedelta(hours=1))
        for _ in range(4):
            _ask(api)
        mails += len(deliver_all(realm))
    assert mails <= 30
    assert_password(api, NEW_PASSWORD)


# --- resetting -------------------------------------------------------------------------------------------------------


def test_a_reset_ends_everything_and_signs_nobody_in(api: Api, realm: Realm, user_id: str) -> None:
    """ASVS 7.4.1; Forgot password sheet; Authentication sheet: after a reset everybody proves himself again."""
    devices = [api.sign_in(), api.sign_in()]
    answer = _reset(api, _link(api, realm))
    assert str(answer.pop("device_token")).startswith("dt_")
    assert answer == {
        "revocation": {
            "event": "password_reset",
            "sessions_ended": 2,
            "sessions_kept": 0,
            "mode": "hard",
            "token_version": 2,
            "effective_by": NOW + 10,
            "latest_by": NOW + 330,
        }
    }
    for device in devices:
        assert_ended(api, device)
    assert_password(api, NEW_PASSWORD)
    assert_no_password(api, PASSWORD)


def test_a_sign_in_right_after_it_lives(api: Api, realm: Realm, user_id: str) -> None:
    _reset(api, _link(api, realm))
    assert_lives(api, api.sign_in(password=NEW_PASSWORD))


def test_logout_devices_is_not_offered(api: Api, realm: Realm, user_id: str) -> None:
    body = {"token": _link(api, realm), "new_password": NEW_PASSWORD, "logout_devices": False}
    assert field_errors(api.post("/password/reset", body)) == {"logout_devices": "unknown_member"}


def test_a_link_works_once(api: Api, realm: Realm, user_id: str) -> None:
    """ASVS 6.4.1, 6.5.1."""
    token = _link(api, realm)
    _reset(api, token)
    _assert_dead(api, token)
    assert_password(api, NEW_PASSWORD)


def test_a_link_works_for_fifteen_minutes(api: Api, realm: Realm, user_id: str, clock: ManualClock) -> None:
    """ASVS 6.4.1."""
    first, second = _link(api, realm), _link(api, realm)
    clock.advance(timedelta(minutes=15) - timedelta(microseconds=1))
    _reset(api, first)
    clock.advance(timedelta(microseconds=1))
    _assert_dead(api, second)


@pytest.mark.parametrize("password", ["short", "password1234", EMAIL, ""])
def test_a_password_that_is_refused_ends_nothing_and_leaves_the_link(
    api: Api, realm: Realm, user_id: str, password: str
) -> None:
    device, token = api.sign_in(), _link(api, realm)
    response = api.post("/password/reset", {"token": token, "new_password": password})
    assert field_errors(response).keys() == {"new_password"}
    assert_lives(api, device)
    _reset(api, token)


@pytest.mark.parametrize("token", ["", "x", "lt_", "lt_" + "A" * 65, "lt_" + "A" * 66, "lt_é", "rt_" + "A" * 66])
def test_what_is_no_link_is_refused_alike(api: Api, user_id: str, token: str) -> None:
    _assert_dead(api, token)


def test_every_changed_character_is_refused(api: Api, realm: Realm, user_id: str) -> None:
    token = _link(api, realm)
    for at in range(3, len(token)):
        _assert_dead(api, token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :])
    _reset(api, token)


def test_the_link_of_a_reset_is_good_for_nothing_else(api: Api, realm: Realm, user_id: str) -> None:
    """ASVS 6.6.2."""
    token = _link(api, realm)
    for path in ("/email/confirm", "/email/revert", "/account/compromised"):
        problem(api.post(path, {"token": token}), 400, "invalid_link")
    _reset(api, token)


def test_a_change_of_password_ends_the_links_that_wait(api: Api, realm: Realm, user_id: str) -> None:
    """A reset link in a mailbox does not survive what changes the credentials."""
    device, token = api.sign_in(), _link(api, realm)
    content(change(api, device), 200)
    _assert_dead(api, token)


def test_one_use_ends_the_other_links(api: Api, realm: Realm, user_id: str) -> None:
    tokens = [_link(api, realm) for _ in range(3)]
    _reset(api, tokens[1])
    for token in tokens:
        _assert_dead(api, token)


def test_a_locked_user_may_reset_and_stays_locked(api: Api, realm: Realm, user_id: str) -> None:
    """Authentication sheet: a lock is not a denial of service; and a reset is no way around it."""
    carry_out(realm, UserLocked(user_id), user_id)
    _reset(api, _link(api, realm))
    assert_no_password(api, NEW_PASSWORD)


def test_a_user_who_was_disabled_meanwhile_may_not(api: Api, realm: Realm, user_id: str) -> None:
    token = _link(api, realm)
    carry_out(realm, UserDisabled(user_id), user_id)
    _assert_dead(api, token)


# --- mails and secrets -----------------------------------------------------------------------------------------------


def test_the_user_gets_exactly_one_mail_about_it_without_a_secret(api: Api, realm: Realm, user_id: str) -> None:
    """ASVS 6.3.5, 6.3.7; Forgot password sheet: tell by mail."""
    token = _link(api, realm)
    _reset(api, token)
    (mail,) = deliver_all(realm)
    assert mail["To"] == EMAIL
    for secret in (PASSWORD, NEW_PASSWORD, token, "$argon2"):
        assert secret not in mail.as_string()


def test_no_table_holds_a_link_that_works(api: Api, realm: Realm, user_id: str) -> None:
    """ASVS 6.5.2 to 6.5.4: a copy of the database opens no account, whether the mail was sent or waits."""
    _ask(api)
    waiting = _dump(realm)
    (mail,) = deliver_all(realm)
    token = read_link(mail)
    tag = base64url.decode(token.removeprefix("lt_"))[-26:-4]
    for values in (waiting, _dump(realm)):
        assert values
        assert not [value for value in values if token.encode() in value or tag in value]
    assert has_link(mail)


def _dump(realm: Realm) -> list[bytes]:
    """Every value of every row."""
    values = []
    with realm.database.read() as tx:
        for table in Base.metadata.sorted_tables:
            for row in tx.execute(select(table)):
                values += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    return values
