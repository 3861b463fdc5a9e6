"""`POST /oauth/revoke` with every kind of token and hint (RFC 7009), and what introspection says afterwards."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from authserver.clients.register_client import ClientRegistration, RegisteredClient, register_client
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from tests.support.people.api import Api, content
from tests.support.people.credentials import assert_ended, assert_lives, refreshed
from tests.support.world.clock import ManualClock
from tests.support.world.realm import SCOPE

HINTS = (None, "access_token", "refresh_token", "id_token", "", "no such hint")
Recording = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def reader(realm: Realm) -> dict[str, str]:
    """The credentials of a registered resource server."""
    return _credentials(realm, ClientKind.RESOURCE_SERVER)


def _credentials(realm: Realm, kind: ClientKind, audience: tuple[str, ...] = ()) -> dict[str, str]:
    return _register(realm, ClientRegistration("A client", kind, audience=audience))


def _register(realm: Realm, registration: ClientRegistration) -> dict[str, str]:
    registered = register_client(realm, registration)
    assert isinstance(registered, RegisteredClient)
    assert registered.secret is not None
    return {"client_id": registered.client.client_id, "client_secret": registered.secret.reveal()}


def _revoke(api: Api, token: str, hint: str | None = None) -> TestResponse:
    form = {"token": token, "client_id": "first-party", **({} if hint is None else {"token_type_hint": hint})}
    return api.client.post("/oauth/revoke", data=form)


def _introspect(api: Api, token: str, credentials: dict[str, str]) -> dict[str, object]:
    return content(api.client.post("/oauth/introspect", data={"token": token, **credentials}), 200)


def _is_active(api: Api, token: str, credentials: dict[str, str]) -> bool:
    said = _introspect(api, token, credentials)
    assert said["active"] is True or said == {"active": False}, "RFC 7662 §2.2: nothing beside `active: false`"
    return said["active"] is True


@pytest.mark.parametrize("hint", HINTS)
def test_a_refresh_token_ends_with_the_access_tokens_of_its_grant(api: Api, user_id: str, hint: str | None) -> None:
    """RFC 7009 §2, §2.1, §2.2: at once, and whatever the hint says."""
    tokens, other = api.sign_in(), api.sign_in()
    later = refreshed(api, tokens)
    assert _revoke(api, later["refresh_token"], hint).status_code == 200
    for gone in (tokens, later):
        assert_ended(api, gone)
    assert_lives(api, other)


@pytest.mark.parametrize("hint", HINTS)
def test_an_access_token_ends_alone(api: Api, user_id: str, hint: str | None) -> None:
    """RFC 7009 §2, §2.1, §2.2."""
    tokens = api.sign_in()
    later = refreshed(api, tokens)
    assert _revoke(api, tokens["access_token"], hint).status_code == 200
    assert api.get("/account", tokens["access_token"]).status_code == 401
    assert_lives(api, later)


@pytest.mark.parametrize("token", ["x", "a.b.c", "rt_" + "A" * 68, "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token_is_revoked_already(api: Api, user_id: str, token: str) -> None:
    """RFC 7009 §2.2: 200, as for every token that is not valid."""
    for hint in HINTS:
        assert _revoke(api, token, hint).status_code == 200


def test_guessing_tokens_finds_none_and_costs_nothing(api: Api, user_id: str, recording: Recording) -> None:
    """RFC 7009 §5: what was not issued here is told apart without the database, and ends nothing."""
    tokens = api.sign_in()
    _revoke(api, "x")  # whatever is read once is read now
    with recording() as statements:
        for kind in ("refresh_token", "access_token"):
            token: str = tokens[kind]
            for at in range(3, len(token) - 1, 7):
                changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
                assert _revoke(api, changed).status_code == 200
    assert statements == []
    assert_lives(api, tokens)


def test_introspection_knows_what_has_expired(
    api: Api, user_id: str, reader: dict[str, str], clock: ManualClock
) -> None:
    """RFC 7662 §2.2."""
    tokens = api.sign_in()
    assert _is_active(api, tokens["access_token"], reader)
    clock.advance(timedelta(seconds=331))
    assert not _is_active(api, tokens["access_token"], reader)
    later = refreshed(api, tokens)
    assert _is_active(api, later["access_token"], reader)
    assert _revoke(api, later["access_token"]).status_code == 200
    assert not _is_active(api, later["access_token"], reader)


def test_introspection_knows_what_was_used(api: Api, realm: Realm, user_id: str, clock: ManualClock) -> None:
    """RFC 7662 §2.2: a refresh token that was exchanged, is another client's, or was idle too long."""
    redirect = ("https://app.example/",)
    registration = ClientRegistration(
        "Web", ClientKind.CONFIDENTIAL, first_party=True, scope=SCOPE, redirect_uris=redirect
    )
    own, other = _register(realm, registration), _credentials(realm, ClientKind.RESOURCE_SERVER)
    used = api.sign_in(client_id=own["client_id"])["refresh_token"]
    assert _is_active(api, used, own)
    assert not _is_active(api, used, other)
    form = {"grant_type": "refresh_token", "refresh_token": used, **own}
    current = content(api.client.post("/oauth/token", data=form), 200)["refresh_token"]
    assert not _is_active(api, used, own)
    assert _is_active(api, current, own)
    clock.advance(timedelta(days=7))
    assert not _is_active(api, current, own)


def test_introspection_tells_no_server_of_the_tokens_of_another(api: Api, realm: Realm, user_id: str) -> None:
    """RFC 7662 §2.1, §2.2, §4: whoever asks proves who he is, and learns of what is meant for him."""
    token = api.sign_in()["access_token"]
    assert not _is_active(api, token, _credentials(realm, ClientKind.RESOURCE_SERVER, ("https://elsewhere.example",)))
    stranger = {**_credentials(realm, ClientKind.RESOURCE_SERVER), "client_secret": "guessed"}
    for credentials in ({}, {"client_id": "first-party"}, stranger):
        response = api.client.post("/oauth/introspect", data={"token": token, **credentials})
        assert (response.status_code, response.headers["Cache-Control"]) == (401, "no-store")
