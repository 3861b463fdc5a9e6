"""Changes of credentials over the JSON API, and assertions about tokens afterwards."""

from typing import Any

from werkzeug.test import TestResponse

from authserver.administration.manage_user import apply_event
from authserver.credentials.events import CredentialEvent
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.revocation import Receipt
from tests.support.people.api import Api, content, problem
from tests.support.world.realm import EMAIL, PASSWORD

NEW_PASSWORD = "a stapler for every horse"
Tokens = dict[str, Any]


def change(
    api: Api, tokens: Tokens, current: str = PASSWORD, new: str = NEW_PASSWORD, **members: object
) -> TestResponse:
    """POST /api/account/password."""
    body = {"current_password": current, "new_password": new, **members}
    return api.post("/account/password", body, tokens["access_token"])


def refresh(api: Api, tokens: Tokens) -> TestResponse:
    """Refresh as the first-party client."""
    form = {"grant_type": "refresh_token", "client_id": "first-party", "refresh_token": tokens["refresh_token"]}
    return api.client.post("/oauth/token", data=form)


def refreshed(api: Api, tokens: Tokens) -> Tokens:
    """Refresh, which must succeed; return the answer."""
    return content(refresh(api, tokens), 200)


def assert_lives(api: Api, tokens: Tokens) -> None:
    """Assert that access token and refresh token are valid."""
    content(api.get("/account", tokens["access_token"]), 200)
    refreshed(api, tokens)


def assert_goes_on(api: Api, tokens: Tokens) -> Tokens:
    """Assert that the access token is stale and one refresh gives a valid one; return the new tokens."""
    response = api.get("/account", tokens["access_token"])
    assert problem(response, 401, "stale_token_version")["soft_logout"] is True
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token", soft_logout="true"'
    renewed = refreshed(api, tokens)
    content(api.get("/account", renewed["access_token"]), 200)
    return renewed


def assert_ended(api: Api, tokens: Tokens, *, soft_logout: bool = False) -> None:
    """Assert that both tokens are refused, with this `soft_logout` in both answers."""
    response = api.get("/account", tokens["access_token"])
    assert problem(response, 401, "session_revoked")["soft_logout"] is soft_logout
    assert f'soft_logout="{str(soft_logout).lower()}"' in response.headers["WWW-Authenticate"]
    refused = content(refresh(api, tokens), 400)
    assert (refused["error"], refused["soft_logout"]) == ("invalid_grant", soft_logout)


def assert_password(api: Api, password: str, email: str = EMAIL) -> None:
    """Assert that this password signs in."""
    content(api.login(email, password), 200)


def assert_no_password(api: Api, password: str, email: str = EMAIL) -> None:
    """Assert that this password does not sign in."""
    problem(api.login(email, password), 401, "invalid_credentials")


def carry_out(realm: Realm, event: CredentialEvent, user_id: str) -> Receipt:
    """Apply an event to the user, as an operator."""
    receipt = apply_event(realm, user_id, event, by=Actor("cli"))
    assert isinstance(receipt, Receipt)
    return receipt
