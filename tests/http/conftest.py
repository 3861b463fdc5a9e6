"""The doors, opened on a realm with one user."""

import pytest

from authserver.realm import Realm
from tests.support.people.api import Api, content
from tests.support.people.credentials import NEW_PASSWORD, change
from tests.support.people.mail import deliver_all, read_link
from tests.support.people.pages import Pages
from tests.support.world.realm import EMAIL, PASSWORD, add_user

NEW = "ada@example.net"


@pytest.fixture
def api(realm: Realm) -> Api:
    """The JSON API of an installation whose limits nobody reaches; nobody is registered."""
    return Api(realm)


@pytest.fixture
def user_id(realm: Realm) -> str:
    """The user with `EMAIL` and `PASSWORD`."""
    return add_user(realm)


@pytest.fixture
def pages(api: Api, user_id: str) -> Pages:
    """A browser; the user exists."""
    return Pages(api)


@pytest.fixture
def links(api: Api, realm: Realm, user_id: str) -> dict[str, str]:
    """A link for each page that works, by path. The address was changed, and a change back is asked for."""
    tokens = {}
    device = api.sign_in()
    body = {"new_email": NEW, "current_password": PASSWORD}
    assert api.post("/account/email", body, device["access_token"]).status_code == 202
    mails = {str(mail["To"]): mail for mail in deliver_all(realm)}
    content(api.post("/email/confirm", {"token": read_link(mails[NEW])}), 200)
    (tokens["/email/revert"],) = [read_link(mail) for mail in deliver_all(realm) if mail["To"] == EMAIL]
    content(change(api, api.sign_in(NEW)), 200)
    (tokens["/not-me"],) = map(read_link, deliver_all(realm))
    body = {"new_email": "ada@example.org", "current_password": NEW_PASSWORD}
    device = api.sign_in(NEW, NEW_PASSWORD)
    assert api.post("/account/email", body, device["access_token"]).status_code == 202
    (tokens["/email/confirm"],) = [read_link(m) for m in deliver_all(realm) if m["To"] == "ada@example.org"]
    content(api.post("/password/forgot", {"email": NEW}), 202)
    (tokens["/reset"],) = map(read_link, deliver_all(realm))
    return tokens
