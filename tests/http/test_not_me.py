"""`POST /api/account/compromised`: the "this was not me" of a mail (design §5, story 2)."""

from datetime import timedelta

import pytest

from authserver.realm import Realm
from tests.support.people.api import Api, content, problem
from tests.support.people.credentials import (
    NEW_PASSWORD,
    assert_ended,
    assert_lives,
    assert_no_password,
    assert_password,
    change,
)
from tests.support.people.mail import deliver_all, has_link, read_link, read_link_page
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, ISSUER, PASSWORD

THIEF = "thief@example.net"
SOON = timedelta(seconds=1)


@pytest.fixture
def notified(api: Api, realm: Realm, user_id: str) -> str:
    """The link of the mail about a change of password that somebody made."""
    content(change(api, api.sign_in()), 200)
    (mail,) = deliver_all(realm)
    assert read_link_page(mail) == f"{ISSUER}/not-me"
    return read_link(mail)


def _report(api: Api, token: str) -> dict[str, object]:
    revocation = content(api.post("/account/compromised", {"token": token}), 200)["revocation"]
    assert isinstance(revocation, dict)
    return revocation


def test_it_ends_everything_and_demands_a_reset(api: Api, realm: Realm, notified: str) -> None:
    devices = [api.sign_in(password=NEW_PASSWORD) for _ in range(2)]
    revocation = _report(api, notified)
    assert (revocation["event"], revocation["sessions_ended"], revocation["mode"]) == ("compromise_reported", 3, "hard")
    for device in devices:
        assert_ended(api, device)
    for password in (PASSWORD, NEW_PASSWORD):
        assert_no_password(api, password)
    (mail,) = deliver_all(realm)
    assert (mail["To"], read_link_page(mail)) == (EMAIL, f"{ISSUER}/reset")
    body = {"token": read_link(mail), "new_password": "only mine from now on"}
    content(api.post("/password/reset", body), 200)
    assert_lives(api, api.sign_in(password="only mine from now on"))


def test_a_link_works_once(api: Api, notified: str) -> None:
    """ASVS 6.4.1."""
    _report(api, notified)
    problem(api.post("/account/compromised", {"token": notified}), 400, "invalid_link")


def test_a_link_works_for_seven_days(api: Api, notified: str, clock: ManualClock) -> None:
    clock.advance(timedelta(days=7))
    problem(api.post("/account/compromised", {"token": notified}), 400, "invalid_link")
    assert_password(api, NEW_PASSWORD)


def test_it_ends_resets_and_changes_of_address_that_wait(
    api: Api, realm: Realm, notified: str, clock: ManualClock
) -> None:
    device = api.sign_in(password=NEW_PASSWORD)
    clock.advance(SOON)
    body = {"new_email": THIEF, "current_password": NEW_PASSWORD}
    assert api.post("/account/email", body, device["access_token"]).status_code == 202
    assert api.post("/password/forgot", {"email": EMAIL}).status_code == 202
    tokens = {read_link_page(mail).removeprefix(ISSUER): read_link(mail) for mail in deliver_all(realm)}
    _report(api, notified)
    problem(api.post("/email/confirm", {"token": tokens["/email/confirm"]}), 400, "invalid_link")
    body = {"token": tokens["/reset"], "new_password": PASSWORD}
    problem(api.post("/password/reset", body), 400, "invalid_link")


def test_the_mail_about_it_carries_no_such_link(api: Api, realm: Realm, notified: str) -> None:
    """Design §5: or owner and thief would take turns."""
    _report(api, notified)
    (mail,) = deliver_all(realm)
    assert "/not-me" not in mail.as_string()
    assert "/email/revert" not in mail.as_string()


def test_a_thief_who_changed_everything_loses_everything(
    api: Api, realm: Realm, user_id: str, clock: ManualClock
) -> None:
    """Story 2. The thief knows the password; the owner clicks in the first mail that he got."""
    owner = api.sign_in(device_id="owner")
    clock.advance(SOON)
    thief = content(change(api, api.sign_in(device_id="thief")), 200)
    (warning,) = deliver_all(realm)
    assert_ended(api, owner)
    clock.advance(SOON)
    body = {"new_email": THIEF, "current_password": NEW_PASSWORD}
    assert api.post("/account/email", body, thief["access_token"]).status_code == 202
    mails = {str(mail["To"]): mail for mail in deliver_all(realm)}
    clock.advance(SOON)
    content(api.post("/email/confirm", {"token": read_link(mails[THIEF])}), 200)
    deliver_all(realm)
    clock.advance(SOON)
    thief = content(change(api, api.sign_in(THIEF, NEW_PASSWORD), NEW_PASSWORD, "all mine for ever now"), 200)
    mine = _thiefs_links(api, realm)
    assert mine

    clock.advance(SOON)
    assert _report(api, read_link(warning))["event"] == "compromise_reported"

    assert_ended(api, thief)
    for password in (PASSWORD, NEW_PASSWORD, "all mine for ever now"):
        for address in (EMAIL, THIEF):
            assert_no_password(api, password, address)
    (mail,) = deliver_all(realm)
    assert mail["To"] == EMAIL
    _assert_all_dead(api, mine)
    content(api.post("/password/forgot", {"email": THIEF}), 202)
    assert deliver_all(realm) == []
    content(api.post("/password/reset", {"token": read_link(mail), "new_password": "only mine from now on"}), 200)
    account = content(api.get("/account", api.sign_in(password="only mine from now on")["access_token"]), 200)
    assert (account["user_id"], account["email"]) == (user_id, EMAIL)
    _assert_all_dead(api, mine)


def _thiefs_links(api: Api, realm: Realm) -> list[str]:
    """All that is mailed to the thief's address: the warning about his own change, and a reset."""
    content(api.post("/password/forgot", {"email": THIEF}), 202)
    return [read_link(mail) for mail in deliver_all(realm) if mail["To"] == THIEF and has_link(mail)]


def _assert_all_dead(api: Api, tokens: list[str]) -> None:
    for token in tokens:
        for path in ("/account/compromised", "/email/revert", "/email/confirm"):
            problem(api.post(path, {"token": token}), 400, "invalid_link")
        problem(api.post("/password/reset", {"token": token, "new_password": "mine again, I say"}), 400, "invalid_link")
