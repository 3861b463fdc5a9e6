"""`/oauth/register` (RFC 7591) and `/oauth/register/{client_id}` (RFC 7592) as a client uses them."""

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from authserver.clients.client_standing import disable_client, enable_client
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID, update_client
from authserver.clients.registration_tokens import MadeToken, Offer, end_registration_token, make_registration_token
from authserver.protocol.audit_name import AuditName
from authserver.protocol.client_metadata import ConsentRule
from authserver.realm import Realm
from authserver.realm.outcomes import Invalid, Refused
from authserver.records.audit import SERVER, AuditFilter
from authserver.records.client_metadata import MOST_VALUES
from authserver.storage import audit, clients
from tests.support.people.api import Api, content
from tests.support.people.authorizing import CALLBACK, App, answered
from tests.support.people.machine import KeyedClient, make_client_pair
from tests.support.people.pages import Pages, dump
from tests.support.world.clock import ManualClock
from tests.support.world.realm import ISSUER
from tests.support.world.tokens import jwks

SCOPE = ("openid", "profile", "read", "offline_access")
RESOURCE = "https://mcp.example/mcp"
METADATA: dict[str, Any] = {"client_name": "Notes", "redirect_uris": [CALLBACK]}
PUBLIC = METADATA | {"token_endpoint_auth_method": "none"}
PAIR = make_client_pair("k", "ES256")
KEYS: dict[str, Any] = {"token_endpoint_auth_method": "private_key_jwt", "jwks": json.loads(jwks(PAIR))}
POST = "client_secret_post"
JWKS_URI = "https://app.example/keys.json"


@pytest.fixture
def realm(realm: Realm) -> Realm:
    """An installation where clients may register themselves."""
    return dataclasses.replace(realm, registers_clients=True)


class Registrar:
    """Calls the two endpoints."""

    def __init__(self, realm: Realm, api: Api) -> None:
        self.realm = realm
        self.client = api.client

    def make_token(self, **offer: Any) -> MadeToken:  # noqa: ANN401 - the members of an Offer
        wished = {"scope": SCOPE, "audience": (RESOURCE,), "uses": 5, "lifetime": timedelta(hours=1), **offer}
        made = make_registration_token(self.realm, Offer(**wished))
        assert isinstance(made, MadeToken), made
        return made

    def register(self, metadata: object = None, token: str | None = None) -> TestResponse:
        token = self.make_token().text.reveal() if token is None else token
        return self.client.post(
            "/oauth/register", json=METADATA if metadata is None else metadata, headers=bearer(token)
        )

    def have(self, metadata: object = None) -> dict[str, Any]:
        return content(self.register(metadata), 201)

    def manage(self, method: str, registered: dict[str, Any], token: str | None = None, **request: Any) -> TestResponse:  # noqa: ANN401 - what Werkzeug's client takes
        path = registered["registration_client_uri"].removeprefix(ISSUER)
        headers = bearer(token or registered["registration_access_token"])
        return self.client.open(path, method=method, headers=headers, **request)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def error(response: TestResponse, code: str) -> str:
    """The sentence of a refusal of RFC 7591 §3.2.2."""
    body = content(response, 400)
    assert body["error"] == code, body
    assert response.headers["Cache-Control"] == "no-store"
    said: str = body["error_description"]
    assert said.isascii()
    assert not set(said) & set('"\\')
    return said


@pytest.fixture
def registrar(realm: Realm, api: Api) -> Registrar:
    return Registrar(realm, api)


def test_without_the_setting_there_is_no_endpoint(realm: Realm) -> None:
    closed = Api(dataclasses.replace(realm, registers_clients=False))
    assert closed.client.post("/oauth/register", json=METADATA, headers=bearer("x")).status_code == 404
    assert closed.client.get("/oauth/register/x", headers=bearer("x")).status_code == 404
    assert "registration_endpoint" not in content(closed.client.get("/.well-known/openid-configuration"), 200)


def test_discovery_names_the_endpoint_where_it_is_served(api: Api) -> None:
    """RFC 7591 §3, RFC 8414 §2."""
    document = content(api.client.get("/.well-known/oauth-authorization-server"), 200)
    assert document["registration_endpoint"] == f"{ISSUER}/oauth/register"
    assert "client_configuration_endpoint" not in document


def test_a_client_that_registers_gets_what_it_needs_and_can_sign_people_in(
    registrar: Registrar, realm: Realm, api: Api, user_id: str
) -> None:
    """RFC 7591 §3.2.1; RFC 7592 §3."""
    registered = registrar.have({**METADATA, "grant_types": ["authorization_code", "refresh_token"]})
    assert registered["client_secret_expires_at"] == 0
    assert registered["registration_client_uri"] == f"{ISSUER}/oauth/register/{registered['client_id']}"
    assert registered["client_name"] == "Notes"
    assert registered["redirect_uris"] == [CALLBACK]
    assert registered["scope"] == " ".join(SCOPE)
    assert registered["grant_types"] == ["authorization_code", "refresh_token"]
    assert registered["response_types"] == ["code"]
    assert registered["token_endpoint_auth_method"] == "client_secret_basic"
    app = App(Pages(api), api, registered["client_id"], registered["client_secret"])
    tokens = app.connect(scope="openid read", resource=RESOURCE)
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_no_token_of_a_registration_is_in_the_database(registrar: Registrar, realm: Realm) -> None:
    made = registrar.make_token()
    registered = content(registrar.register(token=made.text.reveal()), 201)
    rows = repr(dump(realm))
    assert registered["client_id"] in rows
    for secret in (made.text.reveal(), registered["registration_access_token"], registered["client_secret"]):
        assert secret not in rows


def test_people_are_asked_each_time_and_told_that_nobody_checked_the_client(
    registrar: Registrar, api: Api, user_id: str
) -> None:
    """ASVS 10.4.7: open registration validates, asks for consent, and warns."""
    app = App(Pages(api), api, registrar.have(PUBLIC)["client_id"])
    for _ in range(2):
        page = app.send(scope="openid read")
        if 'name="password"' in page.text:
            page = app.sign_in(page)
        assert 'name="decision"' in page.text
        assert "Nobody checked this app" in page.text
        app.decide(page)


def test_a_token_registers_as_many_clients_as_it_has_uses(registrar: Registrar) -> None:
    token = registrar.make_token(uses=2).text.reveal()
    assert [registrar.register(token=token).status_code for _ in range(3)] == [201, 201, 401]


def test_a_refusal_uses_nothing_up(registrar: Registrar) -> None:
    token = registrar.make_token(uses=1).text.reveal()
    error(registrar.register({"client_name": "Notes"}, token), "invalid_redirect_uri")
    assert registrar.register(token=token).status_code == 201


def test_a_token_expires_and_can_be_ended(registrar: Registrar, realm: Realm, clock: ManualClock) -> None:
    late, ended = registrar.make_token(lifetime=timedelta(minutes=1)), registrar.make_token()
    clock.advance(timedelta(minutes=1))
    assert end_registration_token(realm, ended.token.token_id) is None
    assert isinstance(end_registration_token(realm, ended.token.token_id), Refused)
    for made in (late, ended):
        assert registrar.register(token=made.text.reveal()).status_code == 401
    clock.advance(timedelta(minutes=1))
    assert registrar.register(token=late.text.reveal()).status_code == 401


@pytest.mark.parametrize(
    "headers", [{}, bearer("ir_unknown"), bearer(""), {"Authorization": "Basic eDp5"}, {"Authorization": "DPoP x"}]
)
def test_without_a_good_token_nobody_registers(registrar: Registrar, headers: dict[str, str]) -> None:
    """RFC 7591 §3, RFC 6750 §3."""
    response = registrar.client.post("/oauth/register", json=METADATA, headers=headers)
    assert content(response, 401)["error"] == "invalid_token"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_two_tokens_are_one_too_many(registrar: Registrar) -> None:
    headers = bearer(registrar.make_token().text.reveal())
    response = registrar.client.post("/oauth/register?access_token=x", json=METADATA, headers=headers)
    assert content(response, 400)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "claimed",
    [
        {"first_party": True, "consent": "never", "audience": ["https://other.example"]},
        {"origins": ["https://evil.example"], "access_token_lifetime": 1, "retry_window": 0},
        {"kind": "resource-server", "client_id": FIRST_PARTY_CLIENT_ID, "client_secret": "chosen by the client"},
        {"contacts": ["ada@example.test"], "software_id": "x", "made_up": {"a": [1]}, "client_name#de": "Notizen"},
    ],
)
def test_what_only_an_operator_decides_is_ignored_like_everything_unknown(
    registrar: Registrar, realm: Realm, claimed: dict[str, Any]
) -> None:
    """RFC 7591 §2; design §9a."""
    registered = registrar.have({**METADATA, **claimed})
    with realm.database.read() as tx:
        client = clients.find(tx, registered["client_id"])
    assert client is not None
    assert registered.keys() & claimed.keys() <= {"client_id", "client_secret"}
    assert registered["client_id"] != FIRST_PARTY_CLIENT_ID
    assert registered.get("client_secret") != "chosen by the client"
    assert (client.first_party, client.consent, client.audience) == (False, ConsentRule.ALWAYS, (RESOURCE,))
    assert (client.origins, client.access_token_lifetime, client.retry_window) == ((), None, None)


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://app.example/back"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["com.example.app:/done"]}, "invalid_redirect_uri"),
        (
            {"redirect_uris": ["com.example.app:/done"], "application_type": "native"},
            "invalid_redirect_uri",
        ),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [CALLBACK, "https://app.example/*"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://app.example/#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ['https://äpp.example/"\\']}, "invalid_redirect_uri"),
        ({"redirect_uris": CALLBACK}, "invalid_client_metadata"),
        ({"redirect_uris": [[CALLBACK]]}, "invalid_client_metadata"),
        ({"redirect_uris": [f"{CALLBACK}/{n}" for n in range(MOST_VALUES + 1)]}, "invalid_client_metadata"),
        ({"post_logout_redirect_uris": ["http://app.example/"]}, "invalid_client_metadata"),
        ({"client_name": "x" * 201}, "invalid_client_metadata"),
        ({"client_name": "Notes\u202e"}, "invalid_client_metadata"),
        ({"client_name": 1}, "invalid_client_metadata"),
        ({"client_name": {"de": "Notizen"}}, "invalid_client_metadata"),
        ({"logo_uri": "http://127.0.0.1/logo.png"}, "invalid_client_metadata"),
        ({"logo_uri": "javascript:alert(1)"}, "invalid_client_metadata"),
        ({"client_uri": "https://user@app.example"}, "invalid_client_metadata"),
        ({"tos_uri": True}, "invalid_client_metadata"),
        ({"backchannel_logout_uri": "http://169.254.169.254/"}, "invalid_client_metadata"),
        ({"backchannel_logout_uri": "https://10.0.0.1/logout"}, "invalid_client_metadata"),
        ({"backchannel_logout_session_required": "yes"}, "invalid_client_metadata"),
        ({"id_token_signed_response_alg": "none"}, "invalid_client_metadata"),
        ({"id_token_signed_response_alg": {"alg": "RS256"}}, "invalid_client_metadata"),
        ({"id_token_signed_response_alg": "RS256"}, "invalid_client_metadata"),
        ({"dpop_bound_access_tokens": 1}, "invalid_client_metadata"),
        ({"scope": ["read"]}, "invalid_client_metadata"),
        ({"scope": "admin"}, "invalid_client_metadata"),
        ({"scope": "write"}, "invalid_client_metadata"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"grant_types": "authorization_code"}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": ["none"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({**KEYS, "jwks_uri": JWKS_URI}, "invalid_client_metadata"),
        ({**KEYS, "jwks": json.dumps(KEYS["jwks"])}, "invalid_client_metadata"),
        ({**KEYS, "jwks": {}}, "invalid_client_metadata"),
        ({**KEYS, "jwks": {"keys": []}}, "invalid_client_metadata"),
        ({**KEYS, "jwks": {"keys": KEYS["jwks"]["keys"] * 11}}, "invalid_client_metadata"),
        ({**KEYS, "jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "k"}]}}, "invalid_client_metadata"),
        ({**KEYS, "jwks": {"keys": [{**KEYS["jwks"]["keys"][0], "d": "c2VjcmV0"}]}}, "invalid_client_metadata"),
        ({**KEYS, "jwks": None, "jwks_uri": "http://app.example/keys"}, "invalid_client_metadata"),
        ({**KEYS, "jwks": None, "jwks_uri": "https://169.254.169.254/keys"}, "invalid_client_metadata"),
        ({**KEYS, "jwks": None, "jwks_uri": [JWKS_URI]}, "invalid_client_metadata"),
        ({"require_pushed_authorization_requests": "yes"}, "invalid_client_metadata"),
        ({"application_type": "desktop"}, "invalid_client_metadata"),
        ({"software_statement": "e30.e30."}, "unapproved_software_statement"),
    ],
)
def test_metadata_that_cannot_be_is_refused_with_the_code_of_the_rfc(
    registrar: Registrar, metadata: dict[str, Any], code: str
) -> None:
    """RFC 7591 §3.2.2, §2."""
    assert error(registrar.register({**METADATA, **metadata}), code)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b'{"client_name": "a", "client_name": "b"}', "application/json"),
        (b'{"redirect_uris": [' + b"[" * 40 + b"]" * 40 + b"]}", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"client_name": "\\ud800"}', "application/json"),
        (json.dumps(METADATA).encode(), "text/plain"),
        (b"client_name=Notes", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_is_no_metadata_is_refused(registrar: Registrar, body: bytes, content_type: str) -> None:
    headers = bearer(registrar.make_token().text.reveal())
    response = registrar.client.post("/oauth/register", data=body, content_type=content_type, headers=headers)
    error(response, "invalid_client_metadata")


def test_of_the_scopes_that_a_client_asks_for_it_gets_those_of_its_token(registrar: Registrar) -> None:
    """RFC 7591 §2: the server may narrow, and says so in its answer."""
    assert registrar.have({**METADATA, "scope": "read admin write openid"})["scope"] == "read openid"


def test_of_the_grants_that_a_client_asks_for_it_gets_those_that_it_may_have(registrar: Registrar) -> None:
    """RFC 7591 §3.2.1: some clients ask for every grant that they know."""
    asked = ["authorization_code", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"]
    made = registrar.make_token(scope=("read",))
    registered = content(registrar.register({**METADATA, "grant_types": asked}, made.text.reveal()), 201)
    assert registered["grant_types"] == ["authorization_code"]


@pytest.mark.parametrize(
    ("metadata", "method", "application"),
    [
        ({}, "client_secret_basic", "web"),
        ({"token_endpoint_auth_method": "client_secret_post"}, "client_secret_post", "web"),
        ({"application_type": "native", **KEYS}, "none", "native"),
        ({"token_endpoint_auth_method": "none"}, "none", "web"),
        ({"token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/b"]}, "none", "native"),
        ({"application_type": "native", "redirect_uris": ["http://localhost:3000/b"]}, "none", "native"),
        ({"application_type": "native", "token_endpoint_auth_method": "client_secret_post"}, "none", "native"),
        ({"redirect_uris": ["http://localhost:3000/b"]}, "client_secret_basic", "web"),
    ],
)
def test_a_native_client_has_no_secret(
    registrar: Registrar, metadata: dict[str, Any], method: str, application: str
) -> None:
    """RFC 8252 §8.5; the answer says what the client got in place of what it asked for (RFC 7591 §3.2.1)."""
    registered = registrar.have({**METADATA, **metadata})
    assert (registered["token_endpoint_auth_method"], registered["application_type"]) == (method, application)
    assert ("client_secret" in registered) == (method != "none")
    assert "jwks" not in registered


def test_a_client_with_keys_has_no_secret_and_signs_people_in(
    registrar: Registrar, api: Api, user_id: str, clock: ManualClock
) -> None:
    """RFC 7591 §2, RFC 7523 §2.2. The answer repeats the keys, and neither another key nor no key is enough."""
    registered = registrar.have({**METADATA, **KEYS, "grant_types": ["authorization_code", "refresh_token"]})
    assert "client_secret" not in registered
    assert {name: registered[name] for name in KEYS} == KEYS
    client_id = registered["client_id"]
    keyed = KeyedClient(client_id, PAIR, int(clock.seconds()))
    stranger = KeyedClient(client_id, make_client_pair("k", "ES256"), keyed.now)
    app = App(Pages(api), api, client_id)
    code = app.authorize(scope="openid read")
    assert content(app.redeem(code), 401)["error"] == "invalid_client"
    assert content(app.redeem(code, **stranger.proof()), 401)["error"] == "invalid_client"
    tokens = content(app.redeem(code, **keyed.proof()), 200)
    assert app.refresh(tokens["refresh_token"], **keyed.proof()).status_code == 200


def test_a_client_names_the_url_of_its_keys(registrar: Registrar, realm: Realm) -> None:
    registered = registrar.have({**METADATA, **KEYS, "jwks": None, "jwks_uri": JWKS_URI})
    assert (registered["jwks_uri"], "jwks" in registered, "client_secret" in registered) == (JWKS_URI, False, False)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_keys_of_a_client_that_does_not_authenticate_by_them_are_left_out(registrar: Registrar, method: str) -> None:
    """It may have published them for another server; the answer says what counts here (RFC 7591 §3.2.1)."""
    registered = registrar.have({**METADATA, **KEYS, "token_endpoint_auth_method": method})
    assert (registered["token_endpoint_auth_method"], "jwks" in registered) == (method, False)


def test_a_client_has_the_one_method_that_it_named(registrar: Registrar) -> None:
    """Without a name, a secret comes in the header or in the form (decision 47)."""
    for method, by_form in ((None, 200), ("client_secret_post", 200), ("client_secret_basic", 401)):
        registered = registrar.have({**METADATA, "token_endpoint_auth_method": method})
        client_id, secret = registered["client_id"], registered["client_secret"]
        assert authenticates(registrar, client_id, secret) == (by_form == 200)
        asked = registrar.client.post("/oauth/revoke", data={"token": "x"}, auth=(client_id, secret))
        assert (asked.status_code == 200) == (method != "client_secret_post")


def test_an_update_changes_secret_to_keys_and_back(registrar: Registrar, realm: Realm, clock: ManualClock) -> None:
    """RFC 7592 §2.2. A secret from before works no more, not even after the way back."""
    registered = registrar.have()
    client_id, first = registered["client_id"], registered["client_secret"]
    body = {**METADATA, "client_id": client_id}
    keyed = content(registrar.manage("PUT", registered, json={**body, **KEYS}), 200)
    assert "client_secret" not in keyed
    assert {name: keyed[name] for name in KEYS} == KEYS
    rotated = {**body, **KEYS, "jwks": json.loads(jwks(make_client_pair("new", "EdDSA")))}
    again = content(registrar.manage("PUT", registered, json=rotated), 200)
    assert again["jwks"] == rotated["jwks"]
    assert error(registrar.manage("PUT", registered, json=body), "invalid_client_metadata"), "its method needs keys"
    clock.advance(timedelta(seconds=6))  # servers remember clients
    assert not authenticates(registrar, client_id, first)
    back = content(registrar.manage("PUT", registered, json={**body, "token_endpoint_auth_method": POST}), 200)
    clock.advance(timedelta(seconds=6))
    assert (back["token_endpoint_auth_method"], "jwks" in back) == (POST, False)
    assert authenticates(registrar, client_id, back["client_secret"])
    assert not authenticates(registrar, client_id, first)


def test_a_client_can_ask_to_push_its_requests_only(registrar: Registrar, api: Api, user_id: str) -> None:
    """RFC 9126 §6."""
    registered = registrar.have({**PUBLIC, "require_pushed_authorization_requests": True})
    assert registered["require_pushed_authorization_requests"] is True
    app = App(Pages(api), api, registered["client_id"])
    assert answered(app.sign_in(app.send(scope="openid read")))["error"] == "invalid_request"


def test_a_client_without_a_name_is_called_by_its_host(registrar: Registrar) -> None:
    assert registrar.have({"redirect_uris": [CALLBACK]})["client_name"] == "app.example"


def test_a_client_reads_its_registration(registrar: Registrar) -> None:
    """RFC 7592 §2.1: a secret is a digest by then, and is left out."""
    registered = registrar.have()
    response = registrar.manage("GET", registered)
    secret = {"client_secret", "client_secret_expires_at"}
    assert content(response, 200) == {name: value for name, value in registered.items() if name not in secret}
    assert response.headers["Cache-Control"] == "no-store"


def test_an_update_replaces_everything_that_the_client_says_and_nothing_that_the_operator_says(
    registrar: Registrar, realm: Realm
) -> None:
    """RFC 7592 §2.2."""
    registered = registrar.have({**PUBLIC, "client_uri": "https://app.example", "scope": "read"})
    client_id = registered["client_id"]
    of_operator = {"origins": ("https://app.example",), "access_token_lifetime": timedelta(minutes=1)}
    assert not isinstance(update_client(realm, client_id, of_operator), Invalid | Refused)
    body = {**PUBLIC, "client_id": client_id, "client_name": "Better notes"}
    updated = content(registrar.manage("PUT", registered, json=body), 200)
    assert updated["client_name"] == "Better notes"
    assert "client_uri" not in updated
    assert updated["scope"] == " ".join(SCOPE)
    assert updated == content(registrar.manage("GET", registered), 200)
    with realm.database.read() as tx:
        client = clients.find(tx, client_id)
    assert client is not None
    assert {name: client.of(name) for name in of_operator} == of_operator
    assert (client.audience, client.consent) == ((RESOURCE,), ConsentRule.ALWAYS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": None},
        {"client_id": "another"},
        {"registration_access_token": "x"},
        {"registration_client_uri": "x"},
        {"client_id_issued_at": 1},
        {"client_secret_expires_at": 0},
        {"client_secret": "wrong"},
        {"client_secret": 7},
        {"token_endpoint_auth_method": "none"},
        {"application_type": "native"},
        {"scope": "admin"},
        {"redirect_uris": ["javascript:x"]},
    ],
)
def test_an_update_that_the_rfc_does_not_allow_changes_nothing(registrar: Registrar, wrong: dict[str, Any]) -> None:
    """RFC 7592 §2.2."""
    registered = registrar.have()
    before = content(registrar.manage("GET", registered), 200)
    body = {**METADATA, "client_id": registered["client_id"], "client_secret": registered["client_secret"], **wrong}
    assert registrar.manage("PUT", registered, json=body).status_code == 400
    assert content(registrar.manage("GET", registered), 200) == before


def authenticates(registrar: Registrar, client_id: str, secret: str) -> bool:
    form = {"token": "x", "client_id": client_id, "client_secret": secret}
    return registrar.client.post("/oauth/revoke", data=form).status_code == 200


def test_an_update_with_the_secret_keeps_it_and_one_without_replaces_it(
    registrar: Registrar, clock: ManualClock
) -> None:
    """RFC 7592 §2.2. The answer may be lost, so the former secret works for an hour, also if it is asked again."""
    registered = registrar.have()
    client_id, first = registered["client_id"], registered["client_secret"]
    body = {**METADATA, "client_id": client_id}
    kept = content(registrar.manage("PUT", registered, json={**body, "client_secret": first}), 200)
    assert "client_secret" not in kept
    lost = content(registrar.manage("PUT", registered, json=body), 200)["client_secret"]
    replaced = content(registrar.manage("PUT", registered, json=body), 200)
    clock.advance(timedelta(seconds=6))  # servers remember clients
    assert replaced["client_secret_expires_at"] == 0
    assert authenticates(registrar, client_id, replaced["client_secret"])
    assert authenticates(registrar, client_id, first)
    assert not authenticates(registrar, client_id, lost)
    clock.advance(timedelta(hours=1))
    assert not authenticates(registrar, client_id, first)


def test_a_deleted_client_is_gone_with_all_that_it_held(
    registrar: Registrar, realm: Realm, api: Api, user_id: str
) -> None:
    """RFC 7592 §2.3: resource servers are told before the rows go."""
    registered = registrar.have(PUBLIC)
    app = App(Pages(api), api, registered["client_id"])
    tokens = app.connect()
    response = registrar.manage("DELETE", registered)
    assert (response.status_code, response.data) == (204, b"")
    assert app.refresh(tokens["refresh_token"]).status_code in {400, 401}
    page = json.loads(realm.feed.read("", None).body or b"")
    assert any(entry.get("client_id") == registered["client_id"] for entry in page["entries"])
    assert content(registrar.manage("GET", registered), 401)["error"] == "invalid_token"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_the_token_of_a_client_manages_it(registrar: Registrar, method: str) -> None:
    """RFC 7592 §2: neither another client's, nor the initial one, nor for a client that an operator registered."""
    mine, other = registrar.have(), registrar.have()
    theirs = {"registration_client_uri": f"{ISSUER}/oauth/register/{FIRST_PARTY_CLIENT_ID}"}
    nobodys = {"registration_client_uri": f"{ISSUER}/oauth/register/unknown"}
    good = mine["registration_access_token"]
    for registered, token in ((mine, other["registration_access_token"]), (theirs, good), (nobodys, good)):
        body = {**METADATA, "client_id": registered["registration_client_uri"].rpartition("/")[2]}
        response = registrar.manage(method, registered, token, json=body)
        assert content(response, 401)["error"] == "invalid_token"
    initial = registrar.make_token().text.reveal()
    assert registrar.manage(method, mine, initial, json=METADATA).status_code == 401


def test_a_client_that_was_disabled_manages_nothing_until_it_is_enabled(registrar: Registrar, realm: Realm) -> None:
    """It cannot delete itself either, and come back under another id unseen (RFC 7592 §2.3: 403)."""
    registered = registrar.have()
    disable_client(realm, registered["client_id"], SERVER)
    for method in ("GET", "PUT", "DELETE"):
        response = registrar.manage(method, registered, json={**METADATA, "client_id": registered["client_id"]})
        assert content(response, 403)["error"] == "access_denied"
    enable_client(realm, registered["client_id"])
    assert registrar.manage("GET", registered).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"first_party": True},
        {"scope": ("read", "admin")},
        {"consent": ConsentRule.REMEMBER},
        {"first_party": True, "consent": ConsentRule.NEVER},
    ],
)
def test_not_even_an_operator_can_trust_a_client_that_registered_itself(
    registrar: Registrar, realm: Realm, changes: dict[str, Any]
) -> None:
    """Design §9a: its next update could name another redirect URI."""
    assert isinstance(update_client(realm, registrar.have()["client_id"], changes), Invalid)


def test_no_token_can_be_made_that_gives_power(realm: Realm) -> None:
    for wrong in (
        {"scope": ("admin",)},
        {"uses": 0},
        {"uses": 10_001},
        {"lifetime": timedelta(0)},
        {"audience": ("x",)},
    ):
        wished: dict[str, Any] = {"scope": (), "audience": (), "uses": 1, "lifetime": timedelta(hours=1), **wrong}
        assert isinstance(make_registration_token(realm, Offer(**wished)), Invalid)


def test_each_act_is_in_the_audit_record(registrar: Registrar, realm: Realm) -> None:
    made = registrar.make_token()
    registered = content(registrar.register(token=made.text.reveal()), 201)
    registrar.manage("PUT", registered, json={**METADATA, "client_id": registered["client_id"], "client_name": "B"})
    registrar.manage("DELETE", registered)
    with realm.database.read() as tx:
        events = {event.name: event for event in reversed(audit.list_page(tx, AuditFilter(), limit=50))}
    created = events[AuditName.CLIENT_CREATED.value]
    assert created.actor.name == f"client:{registered['client_id']}"
    assert created.actor.ip == "127.0.0.1"
    assert created.detail["registration_token"] == made.token.token_id
    assert created.detail["provenance"] == "dynamic"
    assert events[AuditName.CLIENT_UPDATED.value].detail == {"changed": "name"}
    assert {
        AuditName.REGISTRATION_TOKEN_CREATED.value,
        AuditName.CLIENT_SECRET_ROTATED.value,
        AuditName.CLIENT_DISABLED.value,
        AuditName.CLIENT_DELETED.value,
    } <= events.keys()
