"""The OAuth endpoints are answered past Flask: what Flask did for them still holds."""

import io
from typing import NoReturn

import pytest
from flask.testing import FlaskClient

from authserver.realm import Realm
from authserver.realm.client_registry import ClientRegistry
from authserver.records.failures import StorageUnavailableError
from authserver.web.application import DoorSettings, create_application

FORM = {"grant_type": "refresh_token", "client_id": "first-party", "refresh_token": "x"}


@pytest.fixture
def client(realm: Realm) -> FlaskClient:
    return create_application(realm, DoorSettings(login_limits="1000/minute", limits_url="memory")).test_client()


@pytest.mark.parametrize(
    ("failure", "status", "error"),
    [
        (StorageUnavailableError("away"), 503, "temporarily_unavailable"),
        (RuntimeError("a secret of the inside"), 500, "server_error"),
    ],
)
def test_a_failure_is_shaped_as_everywhere(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, failure: Exception, status: int, error: str
) -> None:
    """ASVS 16.5.1: nothing of an exception reaches the other side."""

    def fail(_registry: ClientRegistry, _client_id: str) -> NoReturn:
        raise failure

    monkeypatch.setattr(ClientRegistry, "find", fail)
    response = client.post("/oauth/token", data=FORM)
    assert response.status_code == status
    assert response.json is not None
    assert response.json["error"] == error
    assert str(failure) not in response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert ("Retry-After" in response.headers) == (status == 503)


def test_a_body_that_breaks_off_is_refused_and_not_read_as_a_shorter_one(client: FlaskClient) -> None:
    body = b"grant_type=refresh_token&client_id=first-party&refresh_token=x"
    response = client.open(
        "/oauth/token",
        method="POST",
        input_stream=io.BytesIO(body),
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"CONTENT_LENGTH": str(len(body) + 10)},
    )
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"] == "invalid_request"


@pytest.mark.parametrize("path", ["/oauth/token/", "/OAUTH/TOKEN", "/oauth/token;a", "/x/oauth/token"])
def test_only_the_exact_path_is_a_door(client: FlaskClient, path: str) -> None:
    assert client.post(path, data=FORM).status_code == 404


def test_another_method_is_told_which_one_is_allowed(client: FlaskClient) -> None:
    response = client.get("/oauth/token")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_whether_keys_have_changed_is_asked_without_their_text(client: FlaskClient) -> None:
    etag = client.get("/.well-known/jwks.json").headers["ETag"]
    assert client.get("/.well-known/jwks.json", headers={"If-None-Match": etag}).status_code == 304
    assert client.head("/.well-known/jwks.json").status_code == 200
