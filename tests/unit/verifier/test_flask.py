"""The Flask adapter: what is its own (what all adapters promise is in test_adapters)."""

from collections.abc import Iterator

import pytest
from flask import Flask, g, request
from flask.testing import FlaskClient

from authserver.verifier import Verifier
from authserver.verifier.flask import FlaskVerifier
from tests.support.wire.loopback import running_server
from tests.support.world.clock import ManualClock
from tests.support.world.tokens import AUDIENCE, ISSUER, jwks, make_pair, user_claims

PAIR = make_pair("k", "EdDSA")


@pytest.fixture
def verifier() -> Iterator[Verifier]:
    with running_server() as server:
        server.body = jwks(PAIR)
        yield Verifier(ISSUER, AUDIENCE, jwks_uri=server.url, clock=ManualClock())


@pytest.fixture
def client(verifier: Verifier) -> FlaskClient:
    app = Flask(__name__)
    auth = FlaskVerifier(verifier)

    @app.route("/notes/<name>", methods=["GET", "POST"])
    @auth.require_token(scope="read")
    def notes(name: str) -> dict[str, str]:
        return {"name": name, "owner": g.token.sub}

    return app.test_client()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def nothing() -> str:
    return ""


def test_the_view_gets_its_own_arguments(client: FlaskClient) -> None:
    answer = client.get("/notes/a", headers=bearer(PAIR.token(user_claims())))
    assert (answer.status_code, answer.json) == (200, {"name": "a", "owner": "user-1"})


def test_without_an_application_no_challenge_points_to_metadata(client: FlaskClient) -> None:
    """They would not be there."""
    assert client.get("/notes/a").headers["WWW-Authenticate"] == 'Bearer scope="read"'
    assert client.get("/.well-known/oauth-protected-resource").status_code == 404


def test_a_cookie_or_a_form_field_is_no_credential(client: FlaskClient) -> None:
    """RFC 6750 §2; OAuth 2.1 5.1."""
    token = PAIR.token(user_claims())
    client.set_cookie("access_token", token)
    answer = client.post(f"/notes/a?access_token={token}", data={"access_token": token})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer scope="read"')


def test_a_header_that_is_sent_twice_is_an_invalid_request(client: FlaskClient) -> None:
    """RFC 9110 §5.3: a field that is sent twice is one with a comma in it."""
    good = PAIR.token(user_claims())
    for headers in ([("Authorization", f"Bearer {good}")] * 2, [("Authorization", f"Bearer {good}, Bearer {good}")]):
        answer = client.get("/notes/a", headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (400, 'Bearer error="invalid_request"')


def test_a_form_that_was_parsed_before_the_view_is_looked_at_as_well(client: FlaskClient) -> None:
    client.application.before_request(lambda: request.form.get("csrf_token") and None)
    headers = bearer(PAIR.token(user_claims()))
    assert client.post("/notes/a", headers=headers, data={"a": "b"}).status_code == 200
    assert client.post("/notes/a", headers=headers, data={"access_token": "x"}).status_code == 400


def test_a_refused_request_never_reaches_the_view(client: FlaskClient) -> None:
    with client.application.test_request_context():
        client.get("/notes/a", headers=bearer("x"))
        assert "token" not in g


def test_a_demand_that_cannot_be_met_is_refused_when_the_view_is_made(verifier: Verifier) -> None:
    with pytest.raises(ValueError, match="space-separated"):
        FlaskVerifier(verifier).require_token(scope='read"')


def test_metadata_are_below_the_mount_and_their_url_can_be_said(verifier: Verifier) -> None:
    """RFC 9728 §5.1: behind a proxy that changes the host, the operator knows better."""
    app = Flask(__name__)
    auth = FlaskVerifier(verifier, app, resource="https://api.example/v1")
    told = FlaskVerifier(verifier, metadata_url="https://api.example/m")
    app.add_url_rule("/", view_func=auth.require_token()(nothing), endpoint="root")
    app.add_url_rule("/told", view_func=told.require_token()(nothing), endpoint="told")
    mounted = app.test_client().get("/", base_url="https://api.example/mount")
    url = "https://api.example/mount/.well-known/oauth-protected-resource/v1"
    assert mounted.headers["WWW-Authenticate"] == f'Bearer resource_metadata="{url}"'
    answer = app.test_client().get("/.well-known/oauth-protected-resource/v1", base_url="https://api.example/mount")
    assert answer.json is not None
    assert answer.json["resource"] == "https://api.example/v1"
    told_answer = app.test_client().get("/told")
    assert told_answer.headers["WWW-Authenticate"] == 'Bearer resource_metadata="https://api.example/m"'
