"""What a refusal leaves in the audit record: one line that says who, what and why, and holds no secret."""

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from authserver.account.change_email import report_compromise
from authserver.administration.read_audit import list_audit
from authserver.authentication.refused_act import MOST, NOBODY
from authserver.clients.register_client import ClientRegistration, RegisteredClient, register_client
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from authserver.records.audit import AuditFilter, AuditRecord
from tests.support.people.api import Api, content, problem
from tests.support.people.credentials import NEW_PASSWORD, assert_lives, refreshed
from tests.support.people.mail import deliver_all, read_link
from tests.support.people.pages import Pages
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, PASSWORD, add_user

IP = "127.0.0.1"
DEAD = "lt_" + "A" * 66
BY_LINK = {
    "/password/reset": ("authn_password_change_fail", "reset_password"),
    "/email/confirm": ("authn_link_fail", "confirm_email"),
    "/email/revert": ("authn_link_fail", "revert_email"),
    "/account/compromised": ("authn_link_fail", "report_compromise"),
}
Written = Callable[[], list[AuditRecord]]


@pytest.fixture
def written(realm: Realm) -> Written:
    """What was recorded since it was asked last; nothing of it may hold a secret."""
    seen: set[str] = set()

    def read() -> list[AuditRecord]:
        records = [one for one in list_audit(realm.database, AuditFilter(), limit=1000) if one.event_id not in seen]
        seen.update(one.event_id for one in records)
        text = json.dumps([[one.actor.name, *map(str, one.detail.values())] for one in records])
        assert not [secret for secret in (PASSWORD, NEW_PASSWORD, EMAIL) if secret in text]
        assert not re.search(r"\b(lt_|rt_|eyJ)", text)
        return records

    return read


def _facts(record: AuditRecord) -> tuple[str, str, object, object]:
    return record.name, record.outcome, record.detail["act"], record.detail["reason"]


def _use(api: Api, path: str, token: str) -> int:
    password = {"new_password": NEW_PASSWORD} if path == "/password/reset" else {}
    return api.post(path, {"token": token, **password}).status_code


def _reset_link(api: Api, realm: Realm) -> str:
    content(api.post("/password/forgot", {"email": EMAIL}), 202)
    (mail,) = deliver_all(realm)
    return read_link(mail)


# --- links -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", BY_LINK)
def test_a_made_up_link_is_one_record_about_nobody(api: Api, user_id: str, written: Written, path: str) -> None:
    """ASVS 16.3.1."""
    name, act = BY_LINK[path]
    written()
    assert _use(api, path, DEAD) == 400
    (record,) = written()
    assert _facts(record) == (name, "failure", act, "no_link")
    assert (record.user_id, record.actor.name, record.actor.ip) == (None, NOBODY, IP)


@pytest.mark.parametrize("end", ["used", "expired", "password_changed", "other_purpose"])
def test_a_link_that_works_no_more_is_one_record_about_its_user(
    api: Api, realm: Realm, user_id: str, clock: ManualClock, written: Written, end: str
) -> None:
    """ASVS 16.3.1."""
    path, token = "/password/reset", _reset_link(api, realm)
    tokens = api.sign_in()
    if end == "used":
        assert _use(api, path, token) == 200
    if end == "expired":
        clock.advance(timedelta(minutes=15))
    if end == "password_changed":
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        content(api.post("/account/password", body, tokens["access_token"]), 200)
    if end == "other_purpose":
        path = "/email/revert"
    written()
    assert _use(api, path, token) == 400
    (record,) = written()
    assert _facts(record) == (BY_LINK[path][0], "failure", BY_LINK[path][1], end)
    assert (record.user_id, record.actor.ip) == (user_id, IP)


def test_a_new_password_that_is_refused_at_a_reset_is_one_record(
    api: Api, realm: Realm, user_id: str, written: Written
) -> None:
    """ASVS 16.3.1."""
    token = _reset_link(api, realm)
    written()
    assert api.post("/password/reset", {"token": token, "new_password": "short"}).status_code == 422
    (record,) = written()
    assert _facts(record) == ("authn_password_change_fail", "failure", "reset_password", "too_short")
    assert record.user_id == user_id


@pytest.mark.parametrize("page", ["/reset", "/email/confirm", "/email/revert", "/not-me"])
def test_the_button_of_a_dead_page_is_one_record_and_looking_is_none(pages: Pages, written: Written, page: str) -> None:
    """ASVS 16.3.1: previews and scanners look at links; nobody was refused anything by that."""
    pages.find_token()
    written()
    assert pages.get(page, DEAD).status_code == 400
    assert written() == []
    assert pages.post(page, token=DEAD, new_password=NEW_PASSWORD).status_code == 400
    assert len(written()) == 1


def test_made_up_links_do_not_fill_the_table(
    api: Api, realm: Realm, user_id: str, clock: ManualClock, written: Written
) -> None:
    """Nothing counts them before; a user's own dead link is recorded all the same, and so is the next hour."""
    used = _reset_link(api, realm)
    assert _use(api, "/password/reset", used) == 200
    written()
    for _ in range(MOST + 20):
        report_compromise(realm, DEAD, IP)
    assert len(written()) == MOST
    assert _use(api, "/email/confirm", used) == 400
    (record,) = written()
    assert record.user_id == user_id
    clock.advance(timedelta(hours=1))
    assert _use(api, "/email/confirm", DEAD) == 400
    assert len(written()) == 1


# --- authorisations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "act", "body"),
    [
        ("POST", "/account/password", "change_password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD}),
        ("POST", "/account/email", "change_email", {"new_email": "new@example.net", "current_password": PASSWORD}),
        ("DELETE", "/account", "delete_account", {"current_password": PASSWORD}),
        ("GET", "/account/export", "export_account", None),
        ("POST", "/account/sessions/revoke-others", "sign_out_elsewhere", None),
        ("DELETE", "/account/sessions/{other}", "end_session", None),
    ],
)
def test_a_session_that_is_too_old_for_an_act_is_one_record(
    api: Api,
    user_id: str,
    clock: ManualClock,
    written: Written,
    method: str,
    path: str,
    act: str,
    body: dict[str, str] | None,
) -> None:
    """ASVS 16.3.2."""
    tokens, other = api.sign_in(), api.sign_in()
    clock.advance(timedelta(seconds=901))
    tokens = refreshed(api, tokens)
    written()
    sending = {} if body is None else {"json": body}
    response = api.call(method, path.format(other=other["sid"]), tokens["access_token"], **sending)
    problem(response, 401, "insufficient_user_authentication")
    (record,) = written()
    assert _facts(record) == ("authz_fail", "failure", act, "insufficient_user_authentication")
    assert (record.user_id, record.sid, record.client_id) == (user_id, tokens["sid"], "first-party")
    assert (record.actor.name, record.actor.ip) == (user_id, IP)


def test_another_users_session_is_one_record(api: Api, realm: Realm, user_id: str, written: Written) -> None:
    """ASVS 16.3.2: about the one who tried; the answer is that for a session that never was."""
    add_user(realm, "eve@example.test")
    eve, mine = api.sign_in("eve@example.test"), api.sign_in()
    for sid, reason in ((eve["sid"], "session_of_another_user"), ("x" * 22, "no_such_session")):
        written()
        problem(api.call("DELETE", f"/account/sessions/{sid}", mine["access_token"]), 404, "not_found")
        (record,) = written()
        assert _facts(record) == ("authz_fail", "failure", "end_session", reason)
        assert (record.user_id, record.sid) == (user_id, mine["sid"])
    assert_lives(api, eve)


def test_a_client_that_may_not_sign_people_in_is_one_record(
    api: Api, realm: Realm, user_id: str, written: Written
) -> None:
    """ASVS 16.3.2: an id that is nobody's is typed text, and is not kept."""
    registration = ClientRegistration("Other", ClientKind.PUBLIC, redirect_uris=("https://app.example/",))
    other = register_client(realm, registration)
    assert isinstance(other, RegisteredClient)
    other_id = other.client.client_id
    for client_id, known, reason in (
        (other_id, other_id, "not_first_party"),
        (PASSWORD.replace(" ", "-"), None, "unknown_client"),
    ):
        written()
        problem(api.login(client_id=client_id), 403, "unauthorized_client")
        (record,) = written()
        assert _facts(record) == ("authz_fail", "failure", "sign_in", reason)
        assert (record.client_id, record.user_id) == (known, None)
        assert record.actor.name == (NOBODY if known is None else f"client:{known}")
    problem(api.login(scope="everything"), 400, "invalid_scope")
    (record,) = written()
    assert _facts(record) == ("authz_fail", "failure", "sign_in", "invalid_scope")
