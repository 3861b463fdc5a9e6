"""Lock, unlock, disable as programs feel it (design §5, story 3)."""

import pytest

from authserver.credentials.events import RolesChanged, UserDisabled, UserEnabled, UserLocked, UserUnlocked
from authserver.realm import Realm
from tests.support.people.api import ACCOUNT_CALLS, Api, content, problem
from tests.support.people.credentials import (
    Tokens,
    assert_ended,
    assert_goes_on,
    assert_lives,
    assert_no_password,
    assert_password,
    carry_out,
    refresh,
)
from tests.support.world.realm import PASSWORD


@pytest.fixture
def tokens(api: Api, user_id: str) -> Tokens:
    """A session of the user."""
    return api.sign_in()


def test_a_lock_is_no_logout(api: Api, realm: Realm, user_id: str, tokens: Tokens) -> None:
    """Matrix, locking: 401 with `soft_logout: true` everywhere; after the unlock the same tokens work."""
    carry_out(realm, UserLocked(user_id), user_id)
    for method, path in ACCOUNT_CALLS:
        response = api.call(method, path, tokens["access_token"])
        assert problem(response, 401, "user_locked")["soft_logout"] is True
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token", soft_logout="true"'
    refused = content(refresh(api, tokens), 400)
    assert (refused["error"], refused["soft_logout"]) == ("invalid_grant", True)
    assert_no_password(api, PASSWORD)
    carry_out(realm, UserUnlocked(user_id), user_id)
    assert_lives(api, tokens)
    assert_password(api, PASSWORD)


@pytest.mark.parametrize("path", ["/logout", "/logout/all"])
def test_a_locked_user_can_still_sign_out(api: Api, realm: Realm, user_id: str, tokens: Tokens, path: str) -> None:
    """Matrix, locking: everywhere except logout."""
    carry_out(realm, UserLocked(user_id), user_id)
    assert api.post(path, token=tokens["access_token"]).status_code == 204
    carry_out(realm, UserUnlocked(user_id), user_id)
    assert_ended(api, tokens)


def test_disabling_is_for_good(api: Api, realm: Realm, user_id: str, tokens: Tokens) -> None:
    """ASVS 7.4.2: also when the user is enabled again."""
    carry_out(realm, UserDisabled(user_id), user_id)
    assert_ended(api, tokens)
    assert_no_password(api, PASSWORD)
    carry_out(realm, UserEnabled(user_id), user_id)
    assert_ended(api, tokens)
    assert_lives(api, api.sign_in())


def test_other_roles_are_felt_at_once_and_nobody_is_signed_out(
    api: Api, realm: Realm, user_id: str, tokens: Tokens
) -> None:
    """ASVS 8.3.2: the old access token is stale, the next refresh carries the roles."""
    carry_out(realm, RolesChanged(user_id, ("admin",)), user_id)
    renewed = assert_goes_on(api, tokens)
    assert content(api.get("/account", renewed["access_token"]), 200)["roles"] == ["admin"]
    carry_out(realm, RolesChanged(user_id, ()), user_id)
    assert content(api.get("/account", assert_goes_on(api, renewed)["access_token"]), 200)["roles"] == []
