"""The JSON API, as used by a first-party application."""

from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from authserver.realm import Realm
from authserver.web.application import DoorSettings, create_application
from authserver.web.site import serialise_origin
from tests.support.world.realm import EMAIL, PASSWORD

GENEROUS = "100000 per minute"

ACCOUNT_CALLS = [
    ("GET", "/account"),
    ("PATCH", "/account"),
    ("DELETE", "/account"),
    ("GET", "/account/export"),
    ("POST", "/account/password"),
    ("POST", "/account/email"),
    ("GET", "/account/sessions"),
    ("DELETE", "/account/sessions/x"),
    ("POST", "/account/sessions/revoke-others"),
]
"""The calls on the user's own account: method and path below /api."""


class Api:
    """An HTTP client of one Flask application, which may have other limits."""

    def __init__(self, realm: Realm, login_limits: str = GENEROUS, limits_folder: Path | None = None) -> None:
        """Build the application of `realm`. With a folder, it acts as one of several worker processes of a node."""
        self.app = create_application(realm, DoorSettings(login_limits, "memory", limits_folder))
        self.client = self.app.test_client()
        self.origin = serialise_origin(realm.issuer)

    def call(self, method: str, path: str, token: str | None = None, **request: Any) -> TestResponse:  # noqa: ANN401 - what Werkzeug's client takes
        """Make one call below /api, with or without an access token."""
        headers = dict(request.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self.client.open(f"/api{path}", method=method, headers=headers, **request)

    def get(self, path: str, token: str | None = None) -> TestResponse:
        """GET."""
        return self.call("GET", path, token)

    def post(self, path: str, body: object = None, token: str | None = None) -> TestResponse:
        """POST a JSON body, or no body."""
        return self.call("POST", path, token, **({} if body is None else {"json": body}))

    def post_raw(self, path: str, body: bytes, content_type: str = "application/json") -> TestResponse:
        """POST exactly these bytes."""
        return self.call("POST", path, data=body, content_type=content_type)

    def login(
        self, email: str = EMAIL, password: str = PASSWORD, *, ip: str = "127.0.0.1", **members: str
    ) -> TestResponse:
        """POST /api/login."""
        body = {"email": email, "password": password, **members}
        # A cookie is for pages, and the browser of a page says where it is from.
        headers = {"Origin": self.origin} if members.get("delivery") == "cookie" else {}
        return self.call("POST", "/login", json=body, headers=headers, environ_overrides={"REMOTE_ADDR": ip})

    def sign_in(self, email: str = EMAIL, password: str = PASSWORD, **members: str) -> dict[str, Any]:
        """Sign in, which must succeed; return the token answer."""
        return content(self.login(email, password, **members), 200)


def content(response: TestResponse, status: int) -> dict[str, Any]:
    """Return the JSON object of an answer, which must have this status."""
    assert response.status_code == status, response.text
    assert isinstance(response.json, dict)
    return response.json


def problem(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Return the members of a refusal, which must have the common shape (RFC 9457)."""
    body = content(response, status)
    assert response.content_type == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    assert body["code"] == code
    assert body["status"] == status
    assert {"type", "title", "detail"} <= body.keys()
    if status == 401:
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert isinstance(body["soft_logout"], bool)
    return body


def field_errors(response: TestResponse) -> dict[str, str]:
    """Return the errors of a 422: field → code."""
    return {error["field"]: error["code"] for error in problem(response, 422, "invalid_input")["errors"]}
