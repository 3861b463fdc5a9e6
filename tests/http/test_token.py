"""`POST /oauth/token` and `/oauth/revoke` as clients see them (contract §2)."""

import base64
import dataclasses
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from authserver import storage
from authserver.clients.register_client import (
    FIRST_PARTY_CLIENT_ID,
    ClientRegistration,
    RegisteredClient,
    register_client,
)
from authserver.credentials.events import SignedOut
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.pause import LONGEST_PAUSE
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.storage.rotation import Rotation
from authserver.web.application import DoorSettings, create_application
from tests.support.people.refreshing import open_device, refreshed, rotated
from tests.support.world.clock import ManualClock
from tests.support.world.realm import ISSUER, add_user

DOORS = DoorSettings(login_limits="1000/minute", limits_url="memory")
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def client(realm: Realm) -> Iterator[FlaskClient]:
    """The doors of the realm."""
    add_user(realm)
    with create_application(realm, DOORS).test_client() as client:
        yield client


@pytest.fixture
def confidential(realm: Realm) -> RegisteredClient:
    """A client with a secret."""
    registered = register_client(
        realm, ClientRegistration("Web", ClientKind.CONFIDENTIAL, redirect_uris=("https://app.example/",))
    )
    assert isinstance(registered, RegisteredClient)
    return registered


def _refresh(client: FlaskClient, token: str, **others: str) -> TestResponse:
    parameters = {"grant_type": "refresh_token", "refresh_token": token, "client_id": FIRST_PARTY_CLIENT_ID, **others}
    return client.post("/oauth/token", data=parameters)


def test_a_refresh_answers_as_the_contract_says(client: FlaskClient, realm: Realm) -> None:
    """OAuth 2.1 §3.2.3: nobody may keep the answer. ASVS 14.3.2."""
    opened = open_device(realm, "phone")
    response = _refresh(client, opened.refresh_token)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json is not None
    assert response.json.keys() == {
        "access_token",
        "token_type",
        "expires_in",
        "id_token",
        "refresh_token",
        "refresh_expires_in",
        "scope",
        "sid",
        "device_id",
    }
    assert (response.json["token_type"], response.json["expires_in"]) == ("Bearer", 300)
    assert (response.json["sid"], response.json["device_id"]) == (opened.sid, "phone")
    assert response.json["refresh_expires_in"] == 7 * 24 * 3600


def test_resting_answers_can_be_counted_in_the_log(client: FlaskClient, realm: Realm) -> None:
    """Design §4: nothing else is left of them."""
    token = open_device(realm).refresh_token
    with capture_logs() as logged:
        for _ in range(3):
            answer = _refresh(client, token).json
            assert answer is not None
            token = answer["refresh_token"]
    assert [line["resting"] for line in logged if line["event"] == "token_issued"] == [False, True, True]


def test_a_refused_refresh_says_whether_local_state_may_be_kept(
    client: FlaskClient, realm: Realm, clock: ManualClock
) -> None:
    first = open_device(realm).refresh_token
    rotated(realm, clock, refreshed(realm, first).refresh_token)
    response = _refresh(client, first)
    assert (response.status_code, response.headers["Cache-Control"]) == (400, "no-store")
    assert response.json == {
        "error": "invalid_grant",
        "error_description": "The refresh token is not valid.",
        "soft_logout": False,
    }


@pytest.mark.parametrize(
    ("body", "content_type", "error", "status"),
    [
        (b"", FORM, "invalid_client", 401),
        (b"client_id=first-party", FORM, "invalid_request", 400),
        (b"client_id=first-party&grant_type=password", FORM, "unsupported_grant_type", 400),
        (b"client_id=first-party&grant_type=refresh_token", FORM, "invalid_request", 400),
        (b"client_id=first-party&grant_type=refresh_token&refresh_token=", FORM, "invalid_request", 400),
        (b"client_id=first-party&grant_type=refresh_token&refresh_token=x", FORM, "invalid_grant", 400),
        (b"client_id=first-party&client_id=first-party&grant_type=refresh_token", FORM, "invalid_request", 400),
        (b"client_id=nobody&grant_type=refresh_token&refresh_token=x", FORM, "invalid_client", 401),
        (b"client_id=first-party&client_secret=x&grant_type=refresh_token", FORM, "invalid_client", 401),
        (b"client_id=%00&grant_type=refresh_token", FORM, "invalid_request", 400),
        (b"client_id=%ED%A0%80&grant_type=refresh_token", FORM, "invalid_request", 400),
        (b"client_id=%FF&grant_type=refresh_token", FORM, "invalid_request", 400),
        (b"client_id=\xff&grant_type=refresh_token", FORM, "invalid_request", 400),
        (b"&".join(b"a%d=1" % number for number in range(60)), FORM, "invalid_request", 400),
        (b'{"grant_type": "refresh_token"}', "application/json", "invalid_request", 400),
        (b"client_id=first-party", "text/plain", "invalid_request", 400),
    ],
)
def test_bad_requests_get_the_error_of_the_rfc(
    client: FlaskClient, body: bytes, content_type: str, error: str, status: int
) -> None:
    """OAuth 2.1 §3.2, §3.2.4; ASVS 15.3.7; RFC 9700 §2.4: there is no grant for passwords."""
    response = client.post("/oauth/token", data=body, content_type=content_type)
    assert response.json is not None
    assert (response.json["error"], response.status_code) == (error, status)
    assert response.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in response.headers) == (status == 401)


def test_unknown_parameters_are_ignored(client: FlaskClient, realm: Realm) -> None:
    assert _refresh(client, open_device(realm).refresh_token, colour="blue").status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_the_token_endpoint_takes_posts_alone(client: FlaskClient, method: str) -> None:
    """OAuth 2.1 §3.2."""
    response = client.open("/oauth/token", method=method)
    assert response.status_code == 405
    assert response.json is not None
    assert response.json["error"] == "invalid_request"


def _basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def test_a_confidential_client_must_prove_itself(client: FlaskClient, confidential: RegisteredClient) -> None:
    """ASVS 10.4.10: no or a false secret is 401; Basic and form both work, never together."""
    client_id, secret = confidential.client.client_id, confidential.secret
    assert secret is not None
    body = {"grant_type": "refresh_token", "refresh_token": "x"}

    def ask(headers: dict[str, str], **form: str) -> str:
        response = client.post("/oauth/token", data={**body, **form}, headers=headers)
        assert response.json is not None
        return str(response.json["error"])

    assert ask({}, client_id=client_id) == "invalid_client"
    assert ask({}, client_id=client_id, client_secret="wrong") == "invalid_client"
    assert ask(_basic(client_id, "wrong")) == "invalid_client"
    assert ask({"Authorization": "Basic !"}) == "invalid_client"
    for no_text in ("\0", "%00", "a" * 20_000):
        assert ask(_basic(no_text, "secret")) == "invalid_client"
    assert ask({"Authorization": "Bearer x"}) == "invalid_client"
    assert ask(_basic(client_id, secret.reveal()), client_secret=secret.reveal()) == "invalid_request"
    assert ask(_basic(client_id, secret.reveal()), client_id="first-party") == "invalid_request"
    assert ask(_basic(client_id, secret.reveal())) == "invalid_grant"
    assert ask({}, client_id=client_id, client_secret=secret.reveal()) == "invalid_grant"


def test_a_resource_server_has_no_grant(client: FlaskClient, realm: Realm) -> None:
    """ASVS 10.4.4: only the grants that a client needs."""
    registered = register_client(realm, ClientRegistration("API", ClientKind.RESOURCE_SERVER))
    assert isinstance(registered, RegisteredClient)
    assert registered.secret is not None
    headers = _basic(registered.client.client_id, registered.secret.reveal())
    response = client.post("/oauth/token", data={"grant_type": "refresh_token", "refresh_token": "x"}, headers=headers)
    assert response.json is not None
    assert response.json["error"] == "unauthorized_client"


def test_a_revoked_refresh_token_ends_its_family_at_once(client: FlaskClient, realm: Realm) -> None:
    """RFC 7009 §2; also a token of a past generation, and whatever the hint says (§2.1)."""
    first = open_device(realm).refresh_token
    current = refreshed(realm, first).refresh_token
    form = {"token": first, "token_type_hint": "access_token", "client_id": FIRST_PARTY_CLIENT_ID}
    assert client.post("/oauth/revoke", data=form).status_code == 200
    response = _refresh(client, current)
    assert response.json is not None
    assert (response.json["error"], response.json["soft_logout"]) == ("invalid_grant", False)


def test_an_unknown_token_is_revoked_already(client: FlaskClient) -> None:
    """RFC 7009 §2.2."""
    form = {"token": "nothing", "client_id": FIRST_PARTY_CLIENT_ID}
    assert client.post("/oauth/revoke", data=form).status_code == 200


def test_another_client_cannot_revoke(client: FlaskClient, realm: Realm, confidential: RegisteredClient) -> None:
    """RFC 7009 §2.1: the binding to the client is checked."""
    token = open_device(realm).refresh_token
    assert confidential.secret is not None
    headers = _basic(confidential.client.client_id, confidential.secret.reveal())
    assert client.post("/oauth/revoke", data={"token": token}, headers=headers).status_code == 400
    assert _refresh(client, token).status_code == 200


def test_the_jwks_is_public_cacheable_and_conditional(client: FlaskClient) -> None:
    response = client.get("/.well-known/jwks.json")
    assert response.json is not None
    assert {key["kty"] for key in response.json["keys"]} == {"EC"}
    assert not any("d" in key for key in response.json["keys"])
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    again = client.get("/.well-known/jwks.json", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_health_and_readiness(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "postgresql://nobody@127.0.0.1:1/nothing"])
def test_a_database_that_is_away_is_a_503_and_never_a_false_200(realm: Realm, url: str) -> None:
    """ASVS 16.5.2; RFC 7009 §2.2.1."""
    add_user(realm)
    token = open_device(realm).refresh_token
    away = storage.open(url)
    cut_off = dataclasses.replace(realm, database=away, rotation=Rotation(away))
    client = create_application(cut_off, DOORS).test_client()
    for path, form in (
        ("/oauth/token", {"grant_type": "refresh_token", "refresh_token": token}),
        ("/oauth/revoke", {"token": token}),
    ):
        response = client.post(path, data={**form, "client_id": FIRST_PARTY_CLIENT_ID})
        assert response.status_code == 503
        assert 1 <= int(response.headers["Retry-After"]) <= LONGEST_PAUSE
        assert response.json is not None
        assert response.json["error"] == "temporarily_unavailable"
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    refreshed(realm, token)


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    """ASVS 3.4."""
    for path in ("/healthz", "/nowhere", "/oauth/token", "/api/nowhere", "/.well-known/jwks.json"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


# --- introspection, single tokens, the feed --------------------------------------------------------------------------


@pytest.fixture
def reader(realm: Realm) -> dict[str, str]:
    """The Authorization header of a registered resource server."""
    return _register(realm, ClientKind.RESOURCE_SERVER)


def _register(realm: Realm, kind: ClientKind, audience: tuple[str, ...] = ()) -> dict[str, str]:
    redirect_uris = () if kind is ClientKind.RESOURCE_SERVER else ("https://app.example/",)
    registered = register_client(
        realm, ClientRegistration("A client", kind, audience=audience, redirect_uris=redirect_uris)
    )
    assert isinstance(registered, RegisteredClient)
    assert registered.secret is not None
    return _basic(registered.client.client_id, registered.secret.reveal())


def _introspect(client: FlaskClient, token: str, headers: dict[str, str]) -> dict[str, object]:
    response = client.post("/oauth/introspect", data={"token": token}, headers=headers)
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    assert response.json is not None
    return dict(response.json)


def test_a_resource_server_learns_what_an_access_token_is_worth_now(
    client: FlaskClient, realm: Realm, reader: dict[str, str]
) -> None:
    """RFC 7662 §2.2, and the database is asked: no bound, no delay."""
    opened = open_device(realm)
    answer = _introspect(client, opened.access_token, reader)
    assert (answer["active"], answer["sid"], answer["token_version"]) == (True, opened.sid, 1)
    with realm.database.write() as tx:
        event = SignedOut(str(answer["sub"]), opened.sid)
        realm.revocation.apply(tx, event, by=Actor("cli"), now=realm.clock.now())
    assert _introspect(client, opened.access_token, reader) == {"active": False}


def test_nobody_learns_of_tokens_that_are_not_meant_for_him(
    client: FlaskClient, realm: Realm, confidential: RegisteredClient
) -> None:
    """RFC 7662 §2.1, §4: another server's token, another client's token, a public client."""
    opened = open_device(realm)
    elsewhere = _register(realm, ClientKind.RESOURCE_SERVER, ("https://elsewhere.example",))
    assert confidential.secret is not None
    other = _basic(confidential.client.client_id, confidential.secret.reveal())
    for headers in (elsewhere, other):
        assert _introspect(client, opened.access_token, headers) == {"active": False}
        assert _introspect(client, opened.refresh_token, headers) == {"active": False}
    form = {"token": opened.access_token, "client_id": FIRST_PARTY_CLIENT_ID}
    assert client.post("/oauth/introspect", data=form).status_code == 401
    assert client.post("/oauth/introspect", data={"token": "x"}).status_code == 401


def test_one_access_token_can_be_revoked_and_its_session_lives(
    client: FlaskClient, realm: Realm, reader: dict[str, str]
) -> None:
    """RFC 7009 §2 SHOULD; it is dead at once here, and in the feed for everybody else."""
    opened = open_device(realm)
    form = {"token": opened.access_token, "client_id": FIRST_PARTY_CLIENT_ID}
    assert client.post("/oauth/revoke", data=form).status_code == 200
    assert _introspect(client, opened.access_token, reader) == {"active": False}
    refused_call = client.get("/api/account", headers={"Authorization": f"Bearer {opened.access_token}"})
    assert refused_call.status_code == 401
    feed = client.get("/oauth/revocations", headers=reader).json
    assert feed is not None
    assert [entry["kind"] for entry in feed["entries"]] == ["token"]
    fresh = refreshed(realm, opened.refresh_token)
    assert _introspect(client, fresh.access_token, reader)["active"] is True


def test_the_feed_is_for_resource_servers_alone(client: FlaskClient, confidential: RegisteredClient) -> None:
    assert client.get("/oauth/revocations").status_code == 401
    assert confidential.secret is not None
    headers = _basic(confidential.client.client_id, confidential.secret.reveal())
    response = client.get("/oauth/revocations", headers=headers)
    assert response.json is not None
    assert response.json["error"] == "unauthorized_client"


def test_the_feed_answers_as_the_contract_says(client: FlaskClient, realm: Realm, reader: dict[str, str]) -> None:
    opened = open_device(realm)
    form = {"token": opened.refresh_token, "client_id": FIRST_PARTY_CLIENT_ID}
    client.post("/oauth/revoke", data=form)
    response = client.get("/oauth/revocations", headers=reader)
    assert response.json is not None
    assert response.json.keys() == {"format", "issuer", "cursor", "reset", "window", "generated_at", "entries"}
    assert (response.json["format"], response.json["issuer"], response.json["window"]) == (1, ISSUER, 390)
    assert response.json["reset"] is True
    (entry,) = response.json["entries"]
    assert entry.keys() == {"kind", "fam", "at"}
    known = {**reader, "If-None-Match": response.headers["ETag"]}
    again = client.get("/oauth/revocations", headers=known)
    assert (again.status_code, again.data) == (304, b"")
    assert [int(answer.date.timestamp()) for answer in (response, again) if answer.date] == [
        response.json["generated_at"]
    ] * 2
    delta = client.get("/oauth/revocations", headers=reader, query_string={"cursor": response.json["cursor"]})
    assert delta.json is not None
    assert (delta.json["reset"], delta.json["entries"]) == (False, [])
