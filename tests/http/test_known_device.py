"""Strangers do not keep the owner out: known devices, and what a reset by mail mends (ASVS 6.1.1, 6.3.1)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from authserver.authentication.known_device import BUDGETS, KNOWN_DEVICE_LIFETIME
from authserver.realm import Realm
from authserver.web.limits.limits import ADDRESS_FACTOR
from tests.support.people.account_pages import sign_in
from tests.support.people.api import Api, content, problem
from tests.support.people.credentials import NEW_PASSWORD, change
from tests.support.people.mail import deliver_all, read_link
from tests.support.people.pages import Pages
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, PASSWORD, add_user

WRONG = "wrong horse battery staple"
KNOWN = "authserver-known"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def limited(realm: Realm, user_id: str) -> Api:
    return Api(realm, "3 per 10 minutes; 9 per day")


def _flood(api: Api, email: str = EMAIL) -> None:
    """What strangers do until nobody new is let in, whatever they type."""
    for number in range(20):
        if api.login(email, WRONG, ip=f"192.0.2.{number}").status_code == 429:
            break
    problem(api.login(email, ip="198.51.100.1"), 429, "too_many_requests")


def _flood_for_a_day(api: Api, clock: ManualClock) -> None:
    for _ in range(4):
        _flood(api)
        clock.advance(11 * MINUTE)
    problem(api.login(), 429, "too_many_requests")


def _mailed_link(api: Api, realm: Realm) -> str:
    content(api.post("/password/forgot", {"email": EMAIL}), 202)
    (mail,) = deliver_all(realm)
    return read_link(mail)


def _reset(api: Api, token: str) -> dict[str, Any]:
    return content(api.post("/password/reset", {"token": token, "new_password": NEW_PASSWORD}), 200)


# --- after a reset ---------------------------------------------------------------------------------------------------


def test_a_reset_by_mail_forgets_what_strangers_tried(limited: Api, realm: Realm, clock: ManualClock) -> None:
    """Nobody is signed in by it, and whoever has the new password can sign in anywhere."""
    _flood_for_a_day(limited, clock)
    _reset(limited, _mailed_link(limited, realm))
    limited.client.delete_cookie(KNOWN)
    content(limited.login(password=NEW_PASSWORD), 200)


def test_a_program_that_reset_the_password_is_a_known_device(limited: Api, realm: Realm) -> None:
    token = _reset(limited, _mailed_link(limited, realm))["device_token"]
    limited.client.delete_cookie(KNOWN)
    _flood(limited)
    content(limited.login(password=NEW_PASSWORD, device_token=token), 200)


def test_a_web_page_that_reset_the_password_is_a_known_device_by_its_cookie(limited: Api, realm: Realm) -> None:
    """Also one that calls the API and keeps nothing that the answer says."""
    _reset(limited, _mailed_link(limited, realm))
    owner, limited.client = limited.client, limited.app.test_client()
    _flood(limited)
    limited.client = owner
    content(limited.login(password=NEW_PASSWORD), 200)


def test_a_browser_that_reset_the_password_is_a_known_device(limited: Api, realm: Realm, clock: ManualClock) -> None:
    _flood_for_a_day(limited, clock)
    browser, other = Pages(limited), Pages(limited)
    assert browser.open_and_send("/reset", _mailed_link(limited, realm), new_password=NEW_PASSWORD).status_code == 200
    _flood(limited)
    assert other.post("/login", email=EMAIL, password=NEW_PASSWORD).status_code == 429
    sign_in(browser, password=NEW_PASSWORD)


def test_strangers_who_ask_for_resets_leave_the_owner_mail_and_link(
    limited: Api, realm: Realm, clock: ManualClock
) -> None:
    """The owner comes when the usual time of the links that strangers asked for is over."""
    for _ in range(3):
        content(limited.post("/password/forgot", {"email": EMAIL}), 202)
    mails = deliver_all(realm)
    for _ in range(8):
        clock.advance(7 * MINUTE)
        content(limited.post("/password/forgot", {"email": EMAIL}), 202)
        mails += deliver_all(realm)
    assert len(mails) <= 4
    _reset(limited, read_link(mails[-1]))


# --- who is known ----------------------------------------------------------------------------------------------------


def test_who_signed_in_before_is_known_by_the_token(limited: Api) -> None:
    token = limited.sign_in()["device_token"]
    _flood(limited)
    content(limited.login(EMAIL.upper(), device_token=token), 200)
    problem(limited.login(), 429, "too_many_requests")


def test_a_browser_that_signed_in_before_is_known(limited: Api) -> None:
    browser = sign_in(Pages(limited))
    browser.forget_cookie("authserver")
    browser.forget_cookie("authserver-device")
    _flood(limited)
    sign_in(browser)


def test_in_cookie_delivery_no_script_sees_the_token(limited: Api) -> None:
    assert "device_token" not in limited.sign_in(delivery="cookie")
    owner, limited.client = limited.client, limited.app.test_client()
    _flood(limited)
    limited.client = owner
    content(limited.login(), 200)


def test_a_change_of_password_renews_the_token(limited: Api) -> None:
    tokens = limited.sign_in()
    changed = content(change(limited, tokens), 200)
    _flood(limited)
    problem(limited.login(password=NEW_PASSWORD, device_token=tokens["device_token"]), 429, "too_many_requests")
    content(limited.login(password=NEW_PASSWORD, device_token=changed["device_token"]), 200)


def test_a_thief_who_knew_the_earlier_password_is_not_known(limited: Api, realm: Realm) -> None:
    thief = limited.sign_in()["device_token"]
    _reset(limited, _mailed_link(limited, realm))
    limited.client.delete_cookie(KNOWN)
    _flood(limited)
    problem(limited.login(password=WRONG, device_token=thief), 429, "too_many_requests")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token + "A",
        lambda token: "lt_" + token[3:],
        lambda _: "dt_" + "A" * 92,
        lambda _: "anything \u00e4",
    ],
    ids=["changed", "longer", "another kind", "made up", "no token"],
)
def test_nobody_makes_a_token_up(limited: Api, spoil: Callable[[str], str]) -> None:
    token = limited.sign_in()["device_token"]
    _flood(limited)
    problem(limited.login(device_token=spoil(token)), 429, "too_many_requests")


def test_the_token_of_another_user_is_worth_nothing(limited: Api, realm: Realm) -> None:
    add_user(realm, "eve@example.test")
    token = limited.sign_in("eve@example.test")["device_token"]
    _flood(limited)
    problem(limited.login(device_token=token), 429, "too_many_requests")
    problem(limited.login("nobody@example.test", WRONG, device_token=token), 401, "invalid_credentials")


def test_a_device_is_known_for_90_days(limited: Api, clock: ManualClock) -> None:
    token = limited.sign_in()["device_token"]
    clock.advance(KNOWN_DEVICE_LIFETIME - MINUTE)
    _flood(limited)
    content(limited.login(device_token=token), 200)
    clock.advance(MINUTE)
    problem(limited.login(device_token=token), 429, "too_many_requests")


def test_a_deleted_account_leaves_no_token_in_the_browser(limited: Api) -> None:
    browser = sign_in(Pages(limited))
    assert browser.post("/account/delete", None, current_password=PASSWORD).status_code == 200
    with pytest.raises(AssertionError, match=KNOWN):
        browser.cookie(KNOWN)


# --- how often -------------------------------------------------------------------------------------------------------


def test_strangers_behind_the_same_address_do_not_keep_a_known_device_out(realm: Realm, user_id: str) -> None:
    """A company, a mobile network, a VPN: whoever uses their address up uses up no tries of a known device."""
    api = Api(realm, "1 per 10 minutes")
    token = api.sign_in()["device_token"]
    statuses = {api.login(f"u{number}@example.test", WRONG).status_code for number in range(ADDRESS_FACTOR + 1)}
    assert statuses == {401, 429}
    problem(api.login(), 429, "too_many_requests")
    content(api.login(device_token=token), 200)


def test_budgets_do_not_multiply_with_devices(realm: Realm, user_id: str) -> None:
    """Neither with names that clients make up, nor with tokens, of which each sign-in gives one."""
    api = Api(realm, "1 per 10 minutes")
    names = [f"made-up-{number}" for number in range(6)]
    tokens = [api.sign_in(device_id=name)["device_token"] for name in names * 8]
    passed = [api.login(password=WRONG, device_id=name).status_code == 401 for name in names]
    assert sum(passed) == 2
    passed = [api.login(password=WRONG, device_token=token).status_code == 401 for token in tokens]
    assert 12 < sum(passed) <= BUDGETS < len(tokens)


def test_a_known_device_that_used_up_its_tries_goes_on_as_any_other(limited: Api) -> None:
    token = limited.sign_in()["device_token"]
    statuses = [limited.login(password=WRONG, device_token=token).status_code for _ in range(7)]
    assert statuses == [401] * 6 + [429]
