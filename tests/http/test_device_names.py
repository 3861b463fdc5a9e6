"""A device keeps its name when somebody signs in on it again, by whatever door, and says nothing of a name."""

from datetime import timedelta

import pytest

from authserver.realm import Realm
from tests.support.people.api import Api, content
from tests.support.people.authorizing import App, register_app
from tests.support.people.credentials import change
from tests.support.people.pages import Pages
from tests.support.world.clock import ManualClock
from tests.support.world.realm import add_user


def names(api: Api, access_token: str) -> dict[str, str]:
    """The user's live devices, by id."""
    listed = content(api.get("/account/sessions", access_token), 200)["sessions"]
    return {session["device_id"]: session["device_name"] for session in listed}


def test_signing_in_again_keeps_the_name_of_the_device(api: Api, user_id: str, clock: ManualClock) -> None:
    api.sign_in(device_id="laptop", device_name="Ada's laptop")
    for _ in range(2):
        clock.advance(timedelta(minutes=1))
        again = api.sign_in(device_id="laptop")
        assert names(api, again["access_token"]) == {"laptop": "Ada's laptop"}


@pytest.mark.parametrize("path", ["/logout", "/logout/all"])
def test_the_name_is_kept_over_a_sign_out(api: Api, user_id: str, path: str) -> None:
    first = api.sign_in(device_id="laptop", device_name="Ada's laptop")
    assert api.post(path, token=first["access_token"]).status_code == 204
    assert names(api, api.sign_in(device_id="laptop")["access_token"]) == {"laptop": "Ada's laptop"}


def test_a_new_name_replaces_the_old_one_for_good(api: Api, user_id: str, clock: ManualClock) -> None:
    api.sign_in(device_id="laptop", device_name="Ada's laptop")
    clock.advance(timedelta(minutes=1))
    api.sign_in(device_id="laptop", device_name="The lab's laptop")
    clock.advance(timedelta(minutes=1))
    assert names(api, api.sign_in(device_id="laptop")["access_token"]) == {"laptop": "The lab's laptop"}


def test_a_changed_password_keeps_the_name(api: Api, user_id: str) -> None:
    first = api.sign_in(device_id="laptop", device_name="Ada's laptop")
    renewed = content(change(api, first), 200)
    assert names(api, renewed["access_token"]) == {"laptop": "Ada's laptop"}


def test_a_name_is_kept_for_its_device_and_its_user_alone(api: Api, realm: Realm, user_id: str) -> None:
    add_user(realm, "bob@example.test")
    api.sign_in(device_id="laptop", device_name="Ada's laptop")
    assert names(api, api.sign_in(device_id="phone")["access_token"])["phone"] == ""
    assert names(api, api.sign_in("bob@example.test", device_id="laptop")["access_token"]) == {"laptop": ""}


def test_a_browser_keeps_the_name_of_its_device(realm: Realm, api: Api, pages: Pages, clock: ManualClock) -> None:
    """At the sign-in page, for an application that gets a code, and after the browser has been signed out."""
    app = App(pages, api, register_app(realm, first_party=True).client.client_id)
    device_id = app.connect()["device_id"]
    clock.advance(timedelta(minutes=1))
    api.sign_in(device_id=device_id, device_name="The family's computer")  # ends the browser's session
    clock.advance(timedelta(minutes=1))
    tokens = app.connect()
    assert (tokens["device_id"], names(api, tokens["access_token"])[device_id]) == (device_id, "The family's computer")
