"""The Flask adapter: what a request needs, and how a refusal is answered."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from authserver.verifier import Verifier
from authserver.verifier.flask import FlaskVerifier
from tests.support.clock import ManualClock
from tests.support.loopback import LoopbackServer, running_server
from tests.support.tokens import AUDIENCE, ISSUER, jwks, make_pair, user_claims

PAIR = make_pair("k", "EdDSA")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def issuer() -> Iterator[LoopbackServer]:
    with running_server() as server:
        server.body = jwks(PAIR)
        yield server


@pytest.fixture
def client(issuer: LoopbackServer, clock: ManualClock) -> FlaskClient:
    app = Flask(__name__)
    auth = FlaskVerifier(Verifier(ISSUER, AUDIENCE, jwks_uri=issuer.url, clock=clock))

    @app.route("/notes/<name>", methods=["GET", "POST"])
    @auth.require_token(scope="read")
    def notes(name: str) -> dict[str, str]:
        return {"name": name, "owner": g.token.sub}

    @app.get("/any")
    @auth.require_token()
    def anything() -> str:
        return "any"

    @app.get("/payment")
    @auth.require_token(max_age=60, acr="2")
    def payment() -> str:
        return "paid"

    return app.test_client()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_good_token_reaches_the_view_with_its_claims(client: FlaskClient) -> None:
    answer = client.get("/notes/a", headers=bearer(PAIR.token(user_claims())))
    assert (answer.status_code, answer.json) == (200, {"name": "a", "owner": "user-1"})


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_is_read_in_any_case(client: FlaskClient, scheme: str) -> None:
    """RFC 9110 §11.1."""
    answer = client.get("/any", headers={"Authorization": f"{scheme} {PAIR.token(user_claims())}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": ""}, {"Authorization": "Basic YTpi"}, {"Authorization": "DPoP x"}]
)
def test_no_credentials_are_challenged_without_an_error_code(client: FlaskClient, headers: dict[str, str]) -> None:
    """RFC 6750 3.1."""
    answer = client.get("/any", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"], answer.json) == (401, "Bearer", {})


def test_a_token_anywhere_else_than_in_the_header_is_not_seen(client: FlaskClient) -> None:
    """RFC 6750 2; OAuth 2.1 5.1: one transport, and never one that ends in logs."""
    token = PAIR.token(user_claims())
    client.set_cookie("access_token", token)
    answer = client.post(f"/notes/a?access_token={token}", data={"access_token": token})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer x", "Bearer a b", "Bearer é", "Bearer {token}, Bearer {token}"]
)
def test_unreadable_credentials_are_an_invalid_token(client: FlaskClient, value: str) -> None:
    answer = client.get("/any", headers={"Authorization": value.format(token=PAIR.token(user_claims()))})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert answer.json == {
        "error": "invalid_token",
        "error_description": "The access token is not valid.",
        "soft_logout": False,
    }


def test_an_expired_token_is_a_soft_logout(client: FlaskClient, clock: ManualClock) -> None:
    """Design §6: in the header and in the body."""
    token = PAIR.token(user_claims())
    clock.advance(timedelta(hours=1))
    answer = client.get("/any", headers=bearer(token))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token", soft_logout="true"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json is not None
    assert answer.json["soft_logout"] is True


def test_a_missing_scope_is_forbidden(client: FlaskClient) -> None:
    """RFC 6750 3.1."""
    answer = client.get("/notes/a", headers=bearer(PAIR.token(user_claims(scope="openid"))))
    assert answer.status_code == 403
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="read"'


def test_a_weak_sign_in_is_sent_to_a_stronger_one(client: FlaskClient) -> None:
    """RFC 9470 3."""
    answer = client.get("/payment", headers=bearer(PAIR.token(user_claims())))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer error="insufficient_user_authentication", max_age="60", acr_values="2"'
    )


def test_missing_keys_are_nobodys_fault(client: FlaskClient, issuer: LoopbackServer) -> None:
    issuer.status = 500
    answer = client.get("/any", headers=bearer(PAIR.token(user_claims())))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "WWW-Authenticate" not in answer.headers


def test_a_refused_request_never_reaches_the_view(client: FlaskClient) -> None:
    with client.application.test_request_context():
        client.get("/any", headers=bearer("x"))
        assert "token" not in g


def test_a_demand_that_cannot_be_met_is_refused_when_the_view_is_made() -> None:
    auth = FlaskVerifier(Verifier("https://auth.example", "a"))
    with pytest.raises(ValueError, match="space-separated"):
        auth.require_token(scope='read"')
