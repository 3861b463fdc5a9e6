"""A password change hands out no more than the session had: no refresh token where none was granted."""

import pytest

from authserver.realm import Realm
from tests.support.people.api import Api, content
from tests.support.people.authorizing import App, register_app
from tests.support.people.credentials import NEW_PASSWORD, Tokens, change
from tests.support.people.pages import Pages
from tests.support.world.realm import PASSWORD, add_user

_REFRESH = {"refresh_token", "refresh_expires_in"}


def connect(realm: Realm, scope: str, *, offline_access: bool = False) -> tuple[Api, Tokens]:
    """The tokens of an application of our own that sends people to `/oauth/authorize`."""
    add_user(realm)
    client = register_app(realm, first_party=True, offline_access=offline_access, scope=("openid", "offline_access"))
    api = Api(realm)
    return api, App(Pages(api), api, client.client.client_id).connect(scope=scope)


def test_a_session_without_a_refresh_token_gets_none(realm: Realm) -> None:
    api, tokens = connect(realm, "openid")
    assert tokens.keys().isdisjoint(_REFRESH)
    old, new = PASSWORD, NEW_PASSWORD
    for _ in range(2):  # the renewed session is no way to one either
        tokens = content(change(api, tokens, old, new), 200)
        assert tokens.keys().isdisjoint(_REFRESH)
        content(api.get("/account", tokens["access_token"]), 200)
        old, new = new, f"{new} again"


@pytest.mark.parametrize(("scope", "offline_access"), [("openid offline_access", False), ("openid", True)])
def test_a_session_with_one_gets_the_next(realm: Realm, scope: str, *, offline_access: bool) -> None:
    api, tokens = connect(realm, scope, offline_access=offline_access)
    assert tokens.keys() >= _REFRESH
    assert content(change(api, tokens), 200).keys() >= _REFRESH
