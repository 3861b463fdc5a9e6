"""Whom an access token is for, and whom it is about (RFC 9068 §3, §5)."""

import json
from typing import Any

from authserver.clients.register_client import ClientRegistration, RegisteredClient, register_client
from authserver.protocol import base64url
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from tests.support.people.api import Api
from tests.support.people.credentials import refreshed
from tests.support.world.realm import AUDIENCE, ISSUER, add_user


def _claims(tokens: dict[str, Any]) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64url.decode(tokens["access_token"].split(".")[1]))
    return claims


def test_without_a_resource_a_token_is_for_the_default_audience(api: Api, user_id: str) -> None:
    """RFC 9068 §3: of a first-party client for this server, too; a refresh changes nothing about it."""
    tokens = api.sign_in()
    for issued in (tokens, refreshed(api, tokens)):
        assert _claims(issued)["aud"] == [ISSUER, AUDIENCE]


def test_no_user_is_named_as_a_client_could_be(api: Api, realm: Realm, user_id: str) -> None:
    """RFC 9068 §5, RFC 9700 §4.15: the server draws both names, 128 bits each, so that `sub` never says two things.

    ASVS 10.3.3: so `iss` and `sub` are one user, now and later.
    """
    others = [add_user(realm, f"user{number}@example.test") for number in range(3)]
    registration = ClientRegistration("Alice", ClientKind.PUBLIC, redirect_uris=("https://app.example/",))
    registered = [register_client(realm, registration) for _ in range(3)]
    clients = [one.client.client_id for one in registered if isinstance(one, RegisteredClient)]
    names = [user_id, *others, *clients]
    assert len(set(names)) == 7
    assert {len(name) for name in names} == {22}
    claims = _claims(api.sign_in())
    assert (claims["sub"], claims["client_id"]) == (user_id, "first-party")
