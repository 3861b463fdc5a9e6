"""When a session is over by itself, and that nothing which a client holds or changes can put that off."""

import base64
import dataclasses
import json
from datetime import timedelta

import pytest

from authserver.clients.register_client import (
    FIRST_PARTY_CLIENT_ID,
    ClientRegistration,
    RegisteredClient,
    register_client,
)
from authserver.protocol import base64url
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from tests.support.people.api import Api, content, problem
from tests.support.people.credentials import Tokens, assert_lives, refresh, refreshed
from tests.support.world.clock import START, ManualClock
from tests.support.world.realm import EMAIL, LIFETIMES, PASSWORD

NOW = int(START.timestamp())
BRIEF = dataclasses.replace(
    LIFETIMES, refresh_idle_lifetime=timedelta(minutes=10), refresh_absolute_lifetime=timedelta(hours=1)
)


@pytest.fixture
def brief(realm: Realm) -> Api:
    """An installation whose sessions are over after 10 minutes without use, and after an hour whatever happens."""
    return Api(dataclasses.replace(realm, lifetimes=BRIEF))


def _assert_over(api: Api, tokens: Tokens) -> None:
    refused = content(refresh(api, tokens), 400)
    assert (refused["error"], refused["soft_logout"]) == ("invalid_grant", True)


def test_a_session_without_use_is_over(brief: Api, user_id: str, clock: ManualClock) -> None:
    """ASVS 7.3.1."""
    used, idle = brief.sign_in(), brief.sign_in()
    assert used["refresh_expires_in"] == 600
    clock.advance(timedelta(minutes=10) - timedelta(seconds=1))
    used = refreshed(brief, used)
    clock.advance(timedelta(seconds=2))
    _assert_over(brief, idle)
    problem(brief.get("/account", idle["access_token"]), 401, "expired")
    assert_lives(brief, used)


def test_a_session_in_use_is_over_at_its_absolute_end(brief: Api, user_id: str, clock: ManualClock) -> None:
    """ASVS 7.3.2: refreshing every minute does not put it off."""
    tokens = brief.sign_in()
    for _ in range(59):
        clock.advance(timedelta(minutes=1))
        tokens = refreshed(brief, tokens)
    assert tokens["refresh_expires_in"] == 60
    clock.advance(timedelta(minutes=1))
    _assert_over(brief, tokens)


@pytest.mark.parametrize("change", [{"exp": NOW + 3000}, {"iat": NOW + 200, "exp": NOW + 500}, {"token_version": 9}])
def test_what_a_client_writes_into_its_token_changes_nothing(
    api: Api, user_id: str, clock: ManualClock, change: dict[str, int]
) -> None:
    """ASVS 7.2.1: the server decides, and believes nothing but what it signed."""
    tokens = api.sign_in()
    clock.advance(timedelta(seconds=331))
    problem(api.get("/account", tokens["access_token"]), 401, "expired")
    header, payload, signature = tokens["access_token"].split(".")
    edited = json.dumps({**json.loads(base64url.decode(payload)), **change}).encode()
    forged = f"{header}.{base64url.encode(edited)}.{signature}"
    problem(api.get("/account", forged), 401, "bad_signature")


@pytest.mark.parametrize("scheme", ["Basic", "Bearer"])
def test_no_lasting_secret_stands_in_for_a_session(api: Api, realm: Realm, user_id: str, scheme: str) -> None:
    """ASVS 7.2.2: neither the password nor the secret of a client opens what a session opens."""
    registered = register_client(
        realm, ClientRegistration("Web", ClientKind.CONFIDENTIAL, redirect_uris=("https://app.example/",))
    )
    assert isinstance(registered, RegisteredClient)
    assert registered.secret is not None
    for name, secret in ((EMAIL, PASSWORD), (registered.client.client_id, registered.secret.reveal())):
        pair = base64.b64encode(f"{name}:{secret}".encode()).decode()
        for credentials in (pair, secret.replace(" ", "")):
            response = api.call("GET", "/account", headers={"Authorization": f"{scheme} {credentials}"})
            problem(response, 401, "missing_token" if scheme == "Basic" else "malformed")
        form = {"grant_type": "password", "username": name, "password": secret, "client_id": FIRST_PARTY_CLIENT_ID}
        assert content(api.client.post("/oauth/token", data=form), 400)["error"] == "unsupported_grant_type"
