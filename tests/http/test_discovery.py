"""Discovery (RFC 8414, OpenID Connect Discovery): what it names is served, and what is served it names."""

import dataclasses
import json
from typing import Any

import pytest

from authserver.branding.brand import DEFAULT_BRAND
from authserver.grants import GRANTS
from authserver.protocol import base64url
from authserver.realm import Realm
from authserver.web import discovery
from authserver.web.application import DoorSettings, create_application
from tests.support.people.api import Api, content
from tests.support.people.relying_party import Browser, register_app
from tests.support.world.realm import ISSUER

ENDPOINTS = {
    "authorization_endpoint",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "revocation_feed_endpoint",
    "end_session_endpoint",
    "jwks_uri",
}


@pytest.fixture
def document(api: Api) -> dict[str, Any]:
    return content(api.client.get("/.well-known/openid-configuration"), 200)


def test_both_documents_are_one_and_for_any_page_to_read(api: Api, document: dict[str, Any]) -> None:
    for path in discovery.PATHS:
        response = api.client.get(path)
        assert response.json == document
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Cache-Control"] == "public, max-age=300"


def test_each_endpoint_that_is_named_answers(api: Api, document: dict[str, Any]) -> None:
    """RFC 8414 §2."""
    named = {name: url for name, url in document.items() if name.endswith(("_endpoint", "_uri"))}
    assert named.keys() == ENDPOINTS
    for url in named.values():
        assert url.startswith(f"{ISSUER}/")
        assert api.client.get(url.removeprefix(ISSUER)).status_code != 404


def test_what_every_client_library_looks_for_is_there(document: dict[str, Any]) -> None:
    """OpenID Connect Discovery §3, RFC 8414 §2, RFC 9207 §3; RFC 9700 §2.1.1: PKCE can be seen, and is S256 alone."""
    assert document["issuer"] == ISSUER
    assert document["response_types_supported"] == ["code"]
    assert document["response_modes_supported"] == ["query", "fragment", "form_post"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["grant_types_supported"] == [grant.grant_type for grant in GRANTS]
    assert document["subject_types_supported"] == ["public", "pairwise"]
    assert document["prompt_values_supported"] == ["none", "login", "consent", "select_account", "create"]
    assert document["scopes_supported"] == ["openid", "profile", "email", "address", "phone", "offline_access"]
    assert document["ui_locales_supported"] == ["en", "de"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["claims_parameter_supported"] is True
    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True
    assert document["request_parameter_supported"] is False
    assert document["request_uri_parameter_supported"] is False
    assert document["id_token_signing_alg_values_supported"] == ["ES256"], "what no key signs, nobody can get"
    proven = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    assert document["token_endpoint_auth_methods_supported"] == ["none", *proven]
    assert document["revocation_endpoint_auth_methods_supported"] == ["none", *proven]
    assert document["introspection_endpoint_auth_methods_supported"] == proven
    for endpoint in ("token", "revocation", "introspection"):
        algorithms = document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
        assert algorithms == ["ES256", "EdDSA", "RS256", "PS256"]
    assert "client_credentials" in document["grant_types_supported"]


def test_what_clients_are_told_is_what_was_announced(
    api: Api, realm: Realm, user_id: str, document: dict[str, Any]
) -> None:
    """The claims of real answers, and the class of a real sign-in."""
    tokens = Browser(realm, user_id).let(register_app(realm), "openid profile email")
    headers = {"Authorization": f"Bearer {tokens.access_token}"}
    told = content(api.client.get("/oauth/userinfo", headers=headers), 200)
    assert tokens.id_token is not None
    id_token = json.loads(base64url.decode(tokens.id_token.split(".")[1]))
    assert told.keys() | id_token.keys() - {"azp"} <= set(document["claims_supported"])
    assert id_token["acr"] in document["acr_values_supported"]


def test_an_issuer_with_a_path_has_all_endpoints_below_it(realm: Realm) -> None:
    """RFC 8414 §3.1."""
    moved = dataclasses.replace(realm, issuer=f"{ISSUER}/auth")
    client = create_application(moved, DoorSettings("1000/minute", "memory")).test_client()
    document = content(client.get("/auth/.well-known/openid-configuration"), 200)
    assert document["authorization_endpoint"] == f"{ISSUER}/auth/oauth/authorize"
    assert document["userinfo_endpoint"] == f"{ISSUER}/auth/oauth/userinfo"
    assert client.get("/.well-known/oauth-authorization-server/auth").json == document


def test_nothing_is_offered_that_hands_out_tokens_without_a_code(document: dict[str, Any]) -> None:
    """RFC 9700 §2.1.2, §2.4: neither the implicit grant nor the user's password at the token endpoint."""
    assert document["response_types_supported"] == ["code"]
    assert {"implicit", "password"}.isdisjoint(document["grant_types_supported"])


def test_where_policies_are_is_told_when_it_is_set(realm: Realm) -> None:
    """OpenID Connect Discovery §3."""
    brand = dataclasses.replace(DEFAULT_BRAND, privacy_url="https://example/privacy", terms_url="https://example/terms")
    client = create_application(realm, DoorSettings("1000/minute", "memory", brand=brand)).test_client()
    document = content(client.get("/.well-known/openid-configuration"), 200)
    assert document["op_policy_uri"] == "https://example/privacy"
    assert document["op_tos_uri"] == "https://example/terms"
