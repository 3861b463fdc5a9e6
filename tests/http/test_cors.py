"""From which web pages a browser may call, over the whole route table."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import NoReturn

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from authserver.clients.client_standing import disable_client
from authserver.clients.register_client import (
    FIRST_PARTY_CLIENT_ID,
    ClientRegistration,
    RegisteredClient,
    register_client,
    update_client,
)
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from authserver.realm.client_registry import ClientRegistry
from authserver.records.audit import Actor
from authserver.records.failures import StorageUnavailableError
from authserver.web.application import Application, DoorSettings, create_application
from tests.support.people.api import Api
from tests.support.people.refreshing import open_device
from tests.support.world.clock import ManualClock

APP = "https://app.example"
OTHERS = "https://other.example:8443"
FOREIGN = (
    "https://evil.example",
    "https://app.example.evil.example",
    "https://evil.app.example",
    "https://app.example/",
    "https://app.example:443",
    "https://APP.example",
    "http://app.example",
    "https://other.example",
    "null",
    "*",
    "",
    "https://app.example, https://evil.example",
    "https://app.example https://other.example:8443",
)
ANY_ORIGIN = {"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json"}
DOORS = DoorSettings(login_limits="100000 per minute", limits_url="memory")


@pytest.fixture
def other(realm: Realm) -> str:
    """A client with an origin of its own; the first-party one has `APP`."""
    update_client(realm, FIRST_PARTY_CLIENT_ID, {"origins": (APP,)})
    registration = ClientRegistration("Other", ClientKind.PUBLIC, redirect_uris=(OTHERS,), origins=(OTHERS,))
    registered = register_client(realm, registration)
    assert isinstance(registered, RegisteredClient)
    return registered.client.client_id


@pytest.fixture
def app(realm: Realm, other: str) -> Application:
    return create_application(realm, DOORS)


@pytest.fixture
def client(app: Application) -> FlaskClient:
    return app.test_client()


def _routes(app: Application) -> Iterator[tuple[str, str]]:
    """Every method and path that is served, with something for each part that varies."""
    for rule in app.url_map.iter_rules():
        path = rule.rule.partition("<")[0] + ("x" if "<" in rule.rule else "")
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            yield method, path


def _is_shared(path: str) -> bool:
    """Contract §2: token, revoke, userinfo, account API; not the page that shows it. A page pushes its request, too."""
    return path in {"/oauth/token", "/oauth/revoke", "/oauth/userinfo", "/oauth/par"} or (
        path.startswith("/api/") and not path.startswith("/api/docs")
    )


def _allowed(response: TestResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers if name.lower().startswith("access-control-")}


def _call(client: FlaskClient, method: str, path: str, origin: str) -> TestResponse:
    return client.open(path, method=method, headers={"Origin": origin})


def _preflight(client: FlaskClient, path: str, origin: str, method: str = "POST") -> TestResponse:
    headers = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}
    return client.options(path, headers={"Origin": origin, **headers})


def test_every_route_names_the_origin_of_a_client_or_nobody(app: Application, client: FlaskClient) -> None:
    """ASVS 3.4.2, RFC 9700 §2.6: token, revoke, userinfo and API by allow-list; authorize, logout and pages never."""
    seen = set()
    for method, path in _routes(app):
        response = _call(client, method, path, APP)
        allowed = _allowed(response)
        if _is_shared(path):
            seen.add(path)
            assert allowed["access-control-allow-origin"] == APP, (method, path)
            assert allowed["access-control-expose-headers"] == "WWW-Authenticate, Retry-After, DPoP-Nonce"
            assert (allowed.get("access-control-allow-credentials") == "true") == path.startswith(
                ("/api/", "/oauth/token")
            )
            assert "Origin" in response.headers.getlist("Vary")
        elif path in ANY_ORIGIN and method in {"GET", "HEAD"}:
            assert allowed == {"access-control-allow-origin": "*"}, (method, path)
        else:
            assert allowed == {}, (method, path)
    assert {"/oauth/token", "/oauth/revoke", "/api/login", "/api/account"} <= seen


def test_every_route_is_silent_to_other_origins(app: Application, client: FlaskClient) -> None:
    """ASVS 3.4.2: neither the origin that asks nor `*` where a browser would send credentials along."""
    for method, path in _routes(app):
        response = _call(client, method, path, "https://evil.example")
        if path in ANY_ORIGIN:
            continue
        assert _allowed(response) == {}, (method, path)
        assert ("Origin" in response.headers.getlist("Vary")) == _is_shared(path), (method, path)


@pytest.mark.parametrize("origin", FOREIGN)
def test_an_origin_is_compared_exactly(client: FlaskClient, origin: str) -> None:
    """ASVS 3.4.2."""
    assert _allowed(client.post("/oauth/token", headers={"Origin": origin})) == {}
    assert _allowed(_preflight(client, "/oauth/token", origin)) == {}


def test_the_origins_of_all_clients_may_call(client: FlaskClient) -> None:
    for origin in (APP, OTHERS):
        response = client.post("/oauth/token", headers={"Origin": origin})
        assert _allowed(response)["access-control-allow-origin"] == origin


def test_the_answer_to_a_client_is_read_from_its_own_origins(client: FlaskClient, other: str) -> None:
    """Contract §2: token, revoke: the client's registered origins; an unknown client's refusal any page may read."""
    for path in ("/oauth/token", "/oauth/revoke"):
        for client_id, origins in ((other, {OTHERS}), (FIRST_PARTY_CLIENT_ID, {APP}), ("unknown", {APP, OTHERS})):
            readable = {
                origin
                for origin in (APP, OTHERS, "https://evil.example")
                if _allowed(client.post(path, data={"client_id": client_id}, headers={"Origin": origin}))
            }
            assert readable == origins, (path, client_id)


def test_the_answer_to_a_client_without_origins_is_read_by_no_page(client: FlaskClient, realm: Realm) -> None:
    registered = register_client(
        realm, ClientRegistration("Phone", ClientKind.NATIVE, redirect_uris=("com.example.app:/x",))
    )
    assert isinstance(registered, RegisteredClient)
    form = {"client_id": registered.client.client_id}
    assert _allowed(client.post("/oauth/token", data=form, headers={"Origin": APP})) == {}


def test_cookies_go_along_for_first_party_clients_alone(client: FlaskClient) -> None:
    """The account API is for them; a page of somebody else's client has nothing to do there."""
    for path in ("/api/account", "/api/login", "/api/refresh"):
        assert _allowed(client.get(path, headers={"Origin": OTHERS})) == {}
        assert _allowed(_preflight(client, path, OTHERS)) == {}


def test_who_names_no_origin_gets_no_header_of_this_kind(client: FlaskClient) -> None:
    response = client.post("/oauth/token")
    assert _allowed(response) == {}
    assert response.headers.getlist("Vary") == ["Origin"], "a cache in front must not hand this answer to a page"


# --- preflights ------------------------------------------------------------------------------------------------------


def test_a_preflight_says_what_a_page_may_send(client: FlaskClient) -> None:
    response = _preflight(client, "/oauth/token", APP)
    assert (response.status_code, response.data) == (204, b"")
    assert _allowed(response) == {
        "access-control-allow-origin": APP,
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": (
            "Authorization, Content-Type, DPoP, traceparent, tracestate, baggage, sentry-trace"
        ),
        "access-control-allow-credentials": "true",
        "access-control-max-age": "600",
    }
    assert response.headers.getlist("Vary") == ["Origin"]
    of_api = _allowed(_preflight(client, "/api/account", APP, "DELETE"))
    assert of_api["access-control-allow-methods"] == "GET, POST, PATCH, DELETE"
    assert of_api["access-control-allow-credentials"] == "true"


def test_a_preflight_of_a_stranger_allows_nothing(app: Application, client: FlaskClient) -> None:
    for _, path in _routes(app):
        if path not in ANY_ORIGIN:
            assert _allowed(_preflight(client, path, "https://evil.example")) == {}, path


@pytest.mark.parametrize("path", sorted(ANY_ORIGIN))
def test_discovery_and_keys_answer_the_preflight_of_any_page(client: FlaskClient, path: str) -> None:
    """A tracing library adds headers to every call of its page, and turns a plain one into one with a preflight."""
    response = _preflight(client, path, "https://anybody.example", "GET")
    allowed = _allowed(response)
    assert (response.status_code, allowed["access-control-allow-origin"]) == (204, "*")
    assert "traceparent" in allowed["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in allowed


def test_pages_and_the_authorization_endpoint_allow_no_preflight(app: Application, client: FlaskClient) -> None:
    """RFC 9700 §2.6: the user's browser is sent there; no script may call it."""
    for _, path in {*_routes(app), ("GET", "/oauth/authorize"), ("GET", "/oauth/logout")}:
        if not _is_shared(path) and path not in ANY_ORIGIN:
            assert _allowed(_preflight(client, path, APP)) == {}, path


def test_a_preflight_reaches_no_view(app: Application, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr(type(app), "full_dispatch_request", fail)
    for path in ("/oauth/token", "/oauth/revoke", "/api/login", "/api/nothing"):
        assert _preflight(client, path, APP).status_code == 204


# --- failures --------------------------------------------------------------------------------------------------------


def test_a_page_can_read_every_refusal(realm: Realm, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """401, 413, 429, 503: without the header a script could not tell them from a broken network."""
    client = create_application(realm, DoorSettings(login_limits="1 per minute", limits_url="memory")).test_client()
    headers = {"Origin": APP}
    body = {"email": "nobody@example.test", "password": "x" * 20}
    answers = [
        client.get("/api/account", headers=headers),
        client.post("/api/login", headers=headers, json=body),
        client.post("/api/login", headers=headers, json=body),
        client.post("/oauth/token", headers=headers, data=b"x" * 70_000),
        client.post("/oauth/token", headers={**headers, "Transfer-Encoding": "chunked"}),
        client.get("/oauth/token", headers=headers),
        client.get("/api/nothing", headers=headers),
    ]

    def fail(_registry: ClientRegistry, _client_id: str) -> NoReturn:
        raise StorageUnavailableError("away")

    monkeypatch.setattr(ClientRegistry, "find", fail)
    answers.append(client.post("/oauth/token", headers=headers, data={"client_id": "x", "grant_type": "refresh_token"}))
    assert [answer.status_code for answer in answers] == [401, 401, 429, 413, 411, 405, 404, 503]
    for answer in answers:
        assert _allowed(answer)["access-control-allow-origin"] == APP, answer.status


def test_a_refresh_by_a_page_is_answered_to_it(client: FlaskClient, realm: Realm, user_id: str) -> None:
    token = open_device(realm).refresh_token
    form = {"grant_type": "refresh_token", "client_id": FIRST_PARTY_CLIENT_ID, "refresh_token": token}
    response = client.post("/oauth/token", data=form, headers={"Origin": APP})
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (200, APP)
    assert response.headers["Access-Control-Allow-Credentials"] == "true", "keycloak-js calls with credentials"


# --- what the registry remembers -------------------------------------------------------------------------------------


def test_a_disabled_client_and_a_removed_origin_are_forgotten_within_seconds(
    client: FlaskClient, realm: Realm, other: str, clock: ManualClock
) -> None:
    def allows(origin: str) -> bool:
        return bool(_allowed(client.post("/oauth/token", headers={"Origin": origin})))

    assert (allows(APP), allows(OTHERS)) == (True, True)
    disable_client(realm, other, Actor("cli"))
    update_client(realm, FIRST_PARTY_CLIENT_ID, {"origins": ("https://new.example",)})
    clock.advance(timedelta(seconds=6))
    assert (allows(APP), allows(OTHERS), allows("https://new.example")) == (False, False, True)


def test_strangers_with_many_names_cost_one_look_at_the_database(client: FlaskClient, realm: Realm) -> None:
    statements: list[str] = []
    event.listen(realm.database.engine, "before_cursor_execute", lambda *sent: statements.append(sent[2]))
    for number in range(20):
        _preflight(client, "/oauth/token", f"https://{number}.example")
    assert len(statements) <= 1


def test_while_the_database_is_away_a_page_can_read_that(
    client: FlaskClient, realm: Realm, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise StorageUnavailableError("away")

    assert _allowed(client.get("/api/account", headers={"Origin": APP}))
    clock.advance(timedelta(minutes=1))
    monkeypatch.setattr(type(realm.database), "read", fail)
    response = client.post("/oauth/token", data={"client_id": "x"}, headers={"Origin": APP})
    assert response.status_code == 503
    assert response.headers["Access-Control-Allow-Origin"] == APP


def test_below_a_path_the_same_holds(realm: Realm, other: str) -> None:
    """An issuer with a path serves everything below it, and nothing beside it."""
    moved = dataclasses.replace(realm, issuer="https://auth.example/tenant")
    client = create_application(moved, DOORS).test_client()
    assert _allowed(_preflight(client, "/tenant/oauth/token", APP))["access-control-allow-origin"] == APP
    assert _allowed(client.get("/tenant/api/account", headers={"Origin": APP}))
    for path in ("/oauth/token", "/tenantx/oauth/token", "/tenant/login", "/tenant"):
        assert _allowed(_preflight(client, path, APP)) == {}


def test_no_cookie_means_anything_at_the_token_endpoint(client: FlaskClient, realm: Realm, user_id: str) -> None:
    """Pages may send cookies there (keycloak-js does), and gain nothing: the cookie of `/api/refresh` is not read."""
    api = Api(realm)
    api.sign_in(delivery="cookie")
    refreshed = api.client.post("/api/refresh", json={}, headers={"Origin": api.origin})
    assert refreshed.status_code == 200, "where it is read, it works"
    form = {"grant_type": "refresh_token", "client_id": FIRST_PARTY_CLIENT_ID}
    response = api.client.post("/oauth/token", data=form, headers={"Origin": APP})
    assert response.json == {"error": "invalid_request", "error_description": "refresh_token is missing."}
    assert "Set-Cookie" not in response.headers
