"""`grant_type=client_credentials` as machine clients see it (RFC 6749 §4.4), and what becomes of their tokens."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest

from authserver.clients.client_registration import ClientRegistration
from authserver.clients.client_standing import TOO_SOON, disable_client, enable_client
from authserver.clients.register_client import register_client, update_client
from authserver.grants import GRANTS
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.revocation_feed import TokenEntry, read_page
from authserver.realm import Realm
from authserver.realm.outcomes import Invalid, Refused
from authserver.records.audit import Actor
from tests.support.people.api import Api, content, problem
from tests.support.people.introspecting import BILLING, is_active, register_server
from tests.support.people.machine import ask_token, by_secret, read_payload, register_machine
from tests.support.world.clock import ManualClock
from tests.support.world.realm import AUDIENCE, ISSUER

Recording = Callable[[], AbstractContextManager[list[str]]]
BY = Actor("test")


@pytest.fixture
def machine(realm: Realm) -> dict[str, str]:
    """The credentials of a service."""
    return by_secret(register_machine(realm))


def token_of(api: Api, credentials: dict[str, str], **form: str) -> str:
    answered: str = content(ask_token(api, credentials, **form), 200)["access_token"]
    return answered


def test_a_service_gets_a_token_of_its_own(api: Api, machine: dict[str, str]) -> None:
    """RFC 6749 §4.4.3: no refresh token. RFC 9068 §2.2: without a user, `sub` is the client."""
    response = ask_token(api, machine)
    assert response.headers["Cache-Control"] == "no-store"
    answer = content(response, 200)
    assert answer.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 300)
    assert answer["scope"] == "reports:read reports:write"
    claims = read_payload(answer["access_token"])
    assert claims.keys() == {"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope"}
    assert claims["sub"] == claims["client_id"] == machine["client_id"]
    assert (claims["iss"], claims["aud"]) == (ISSUER, AUDIENCE)


def test_it_costs_one_statement(api: Api, machine: dict[str, str], recording: Recording) -> None:
    ask_token(api, machine)  # what is remembered is read now
    with recording() as statements:
        content(ask_token(api, machine), 200)
    assert len(statements) == 1


def test_scopes_are_those_of_the_registration(api: Api, machine: dict[str, str]) -> None:
    """ASVS 10.4.11: an unregistered scope is refused, and asking for less gives less. RFC 6749 §3.3."""
    assert content(ask_token(api, machine, scope="reports:read"), 200)["scope"] == "reports:read"
    for scope in ("reports:delete", "reports:read reports:delete", "openid", "admin", "offline_access"):
        assert content(ask_token(api, machine, scope=scope), 400)["error"] == "invalid_scope"


def test_scopes_of_users_are_never_in_the_token_of_a_client(api: Api, realm: Realm) -> None:
    """Also not where the client has them, for its users."""
    both = by_secret(
        register_machine(
            realm,
            ClientKind.CONFIDENTIAL,
            client_credentials=True,
            scope=("openid", "admin", "offline_access", "read"),
            redirect_uris=("https://app.example/",),
        )
    )
    answer = content(ask_token(api, both), 200)
    assert answer["scope"] == "read"
    assert "id_token" not in answer
    for scope in ("openid", "admin read", "offline_access"):
        assert content(ask_token(api, both, scope=scope), 400)["error"] == "invalid_scope"


def test_resources_are_those_of_the_registration(api: Api, realm: Realm) -> None:
    """RFC 8707 §2."""
    machine = by_secret(register_machine(realm, audience=(BILLING, ISSUER)))
    assert read_payload(token_of(api, machine, resource=BILLING))["aud"] == BILLING
    response = api.client.post(
        "/oauth/token",
        data={"grant_type": "client_credentials", **machine, "resource": [BILLING, AUDIENCE]},
    )
    assert read_payload(content(response, 200)["access_token"])["aud"] == [BILLING, AUDIENCE]
    for foreign in ("https://other.example", ISSUER):
        assert content(ask_token(api, machine, resource=foreign), 400)["error"] == "invalid_target"


def test_a_first_party_client_acts_for_itself_elsewhere_only(api: Api, realm: Realm) -> None:
    """Contract §1 puts the issuer into the tokens of its users, for the account API. That is about a user."""
    own = register_machine(
        realm, ClientKind.CONFIDENTIAL, first_party=True, client_credentials=True, audience=(ISSUER,)
    )
    assert read_payload(token_of(api, by_secret(own)))["aud"] == AUDIENCE
    assert content(ask_token(api, by_secret(own), resource=ISSUER), 400)["error"] == "invalid_target"


@pytest.mark.parametrize("kind", ClientKind)
def test_a_client_may_use_the_grants_of_its_kind_and_no_other(api: Api, realm: Realm, kind: ClientKind) -> None:
    """ASVS 10.4.4: each grant at each kind. RFC 6749 §4.4: client credentials never for a public client."""
    registered = register_machine(realm, kind)
    credentials = {"client_id": registered.client.client_id} if kind.is_public else by_secret(registered)
    for grant in GRANTS:
        form = {"grant_type": grant.grant_type, **credentials}
        error = api.client.post("/oauth/token", data=form).json.get("error")  # type: ignore[union-attr]
        assert (error == "unauthorized_client") is (grant.grant_type not in registered.client.grant_types)
    assert ("client_credentials" in registered.client.grant_types) is (kind is ClientKind.SERVICE)


def test_nobody_signs_in_to_a_service(api: Api, machine: dict[str, str]) -> None:
    """ASVS 10.4.4."""
    problem(api.login(client_id=machine["client_id"]), 403, "unauthorized_client")


def test_the_grant_is_for_clients_that_can_keep_a_secret(realm: Realm) -> None:
    for kind in (ClientKind.PUBLIC, ClientKind.NATIVE, ClientKind.DEVICE, ClientKind.RESOURCE_SERVER):
        outcome = register_client(realm, ClientRegistration("App", kind, client_credentials=True))
        assert isinstance(outcome, Invalid)
        assert [error.field for error in outcome.errors] == ["client_credentials"]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"scope": ("read", "openid")}, "scope"),
        ({"scope": ("admin",)}, "scope"),
        ({"scope": ("offline_access",)}, "scope"),
        ({"first_party": True}, "first_party"),
        ({"offline_access": True}, "offline_access"),
        ({"origins": ("https://app.example",)}, "origin"),
        ({"redirect_uris": ("https://app.example/",)}, "redirect_uri"),
    ],
)
def test_a_service_has_nothing_that_is_about_users(realm: Realm, settings: dict[str, object], field: str) -> None:
    outcome = register_client(realm, ClientRegistration("App", ClientKind.SERVICE, **settings))  # type: ignore[arg-type]
    assert isinstance(outcome, Invalid)
    assert [error.field for error in outcome.errors] == [field]


def test_own_calls_of_users_refuse_it_and_say_why(api: Api, machine: dict[str, str]) -> None:
    """RFC 9068 §5: nobody takes a client for the user of that name."""
    token = token_of(api, machine)
    refused = problem(api.get("/account", token), 401, "wrong_audience")
    assert "belongs to a client" in refused["detail"]
    assert refused["soft_logout"] is False
    problem(api.post("/logout", None, token), 401, "wrong_audience")
    userinfo = api.client.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert content(userinfo, 401)["error"] == "invalid_token"
    assert "belongs to a client" in content(userinfo, 401)["error_description"]


def test_introspection_shows_it(api: Api, realm: Realm, machine: dict[str, str], clock: ManualClock) -> None:
    """RFC 7662 §2.2: to the client, and to the resource server that it is for; without members of a user."""
    token, server = token_of(api, machine), register_server(realm)
    for who in (machine, server):
        said = content(api.client.post("/oauth/introspect", data={"token": token, **who}), 200)
        assert said == {"active": True, "token_type": "Bearer", **read_payload(token), "aud": [AUDIENCE]}
    assert not is_active(api, token, register_server(realm, BILLING))
    clock.advance(timedelta(seconds=300))
    assert not is_active(api, token, server)


def test_it_can_be_revoked_alone(api: Api, realm: Realm, machine: dict[str, str]) -> None:
    """RFC 7009 §2; the feed names it by its jti, and a second time is a no-op."""
    token, other, server = token_of(api, machine), token_of(api, machine), register_server(realm)
    for _ in range(2):
        assert api.client.post("/oauth/revoke", data={"token": token, **machine}).status_code == 200
    assert not is_active(api, token, server)
    assert is_active(api, other, server)
    page = read_page(json.loads(realm.feed.read("", None).body or b""))
    assert [entry.jti for entry in page.entries if isinstance(entry, TokenEntry)] == [read_payload(token)["jti"]]


def test_a_disabled_client_gets_none_at_once_and_what_it_has_is_dead(
    api: Api, realm: Realm, machine: dict[str, str]
) -> None:
    """Although its record is still in memory: the statement of the grant and introspection ask the database."""
    token, server = token_of(api, machine), register_server(realm)
    other_node = replace(realm)  # shares the memory in which the client is still enabled
    disable_client(other_node, machine["client_id"], BY)
    assert content(ask_token(api, machine), 401)["error"] == "invalid_client"
    assert not is_active(api, token, server)


def test_a_client_is_enabled_again_only_when_its_own_tokens_have_expired(
    api: Api, realm: Realm, machine: dict[str, str], clock: ManualClock
) -> None:
    """Resource servers forget that it was disabled, and no entry of the feed could name tokens without a family."""
    token, server = token_of(api, machine), register_server(realm)
    disable_client(realm, machine["client_id"], BY)
    clock.advance(timedelta(seconds=60))
    refused = enable_client(realm, machine["client_id"])
    assert isinstance(refused, Refused)
    assert refused.code == TOO_SOON
    clock.advance(timedelta(seconds=330))
    assert enable_client(realm, machine["client_id"]) is None
    assert not is_active(api, token, server)
    assert is_active(api, token_of(api, machine), server)


def test_what_is_taken_from_the_client_is_gone_from_its_tokens_at_introspection(api: Api, realm: Realm) -> None:
    registered = register_machine(realm)
    machine, server = by_secret(registered), register_server(realm)
    token = token_of(api, machine)
    update_client(realm, machine["client_id"], {"scope": ("reports:read",)})
    fresh = Api(replace(realm, clients=type(realm.clients)(realm.database, realm.clock)))
    said = content(fresh.client.post("/oauth/introspect", data={"token": token, **server}), 200)
    assert said["scope"] == "reports:read"
