"""A client that sends people to `/oauth/authorize`, and the browser that follows."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from werkzeug.test import TestResponse

from authserver.clients.client_registration import ClientRegistration
from authserver.clients.register_client import RegisteredClient, register_client
from authserver.jose.jws import parse_compact
from authserver.protocol import base64url
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from tests.support.people.api import Api
from tests.support.people.pages import Form, Pages
from tests.support.world.realm import EMAIL, PASSWORD

CALLBACK = "https://app.example/callback"
VERIFIER = "correct-horse-battery-staple-correct-horse-1"
CHALLENGE = base64url.encode(hashlib.sha256(VERIFIER.encode()).digest())
SCOPE = ("openid", "profile", "email", "read", "offline_access")
STATE = "a state = with & everything/+ü"


def register_app(realm: Realm, name: str = "Notes", **registration: Any) -> RegisteredClient:  # noqa: ANN401 - the attributes of a ClientRegistration
    """Register a public third-party client with the redirect URI `CALLBACK`."""
    members: dict[str, Any] = {"kind": ClientKind.PUBLIC, "scope": SCOPE, "redirect_uris": (CALLBACK,), **registration}
    registered = register_client(realm, ClientRegistration(name=name, **members))
    assert isinstance(registered, RegisteredClient), registered
    return registered


@dataclass
class App:
    """One client in one browser."""

    pages: Pages
    api: Api
    client_id: str
    secret: str | None = None
    redirect_uri: str = CALLBACK
    asks: dict[str, str] = field(default_factory=dict)

    def link(self, **parameters: str | None) -> str:
        """Build the authorization URL. A parameter that is None is left out."""
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid read offline_access",
            "state": STATE,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **self.asks,
            **parameters,
        }
        return "/oauth/authorize?" + urlencode({name: value for name, value in asked.items() if value is not None})

    def send(self, **parameters: str | None) -> TestResponse:
        """Follow the link, and return the last answer: our page, or the redirect to the client."""
        return self.follow(self.pages.get(self.link(**parameters)))

    def follow(self, response: TestResponse) -> TestResponse:
        """Follow redirects as long as they lead to our own pages."""
        while response.status_code == 303 and response.headers["Location"].startswith("/"):
            response = self.pages.get(response.headers["Location"])
        return response

    def sign_in(self, page: TestResponse, email: str = EMAIL, password: str = PASSWORD) -> TestResponse:
        """Submit the sign-in form of `page`, and follow the redirects."""
        form = Form(page.text, "password")
        return self.follow(self.pages.post("/login", None, **{**form.values, "email": email, "password": password}))

    def decide(self, page: TestResponse, decision: str = "allow") -> TestResponse:
        """Press a button of the consent page."""
        form = Form(page.text)
        return self.follow(self.pages.post(form.action, None, **form.values, decision=decision))

    def authorize(self, **parameters: str | None) -> str:
        """Authorize with all needed steps; return the code that the client receives."""
        response = self.send(**parameters)
        if 'name="password"' in response.text:
            response = self.sign_in(response)
        if 'name="decision"' in response.text:
            response = self.decide(response)
        return answered(response)["code"]

    def redeem(self, code: str, /, **parameters: str | None) -> TestResponse:
        """Exchange the code at the token endpoint."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
            "client_id": self.client_id,
            "client_secret": self.secret,
            **parameters,
        }
        return self.token({name: value for name, value in form.items() if value is not None})

    def refresh(self, refresh_token: str, **parameters: str) -> TestResponse:
        """Exchange a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self.client_id}
        form |= parameters
        return self.token(form if self.secret is None else {**form, "client_secret": self.secret})

    def token(self, form: dict[str, str]) -> TestResponse:
        """Call the token endpoint, not through the browser."""
        return self.api.client.post("/oauth/token", data=form)

    def connect(self, **parameters: str | None) -> dict[str, Any]:
        """Authorize and redeem the code; return the tokens."""
        response = self.redeem(self.authorize(**parameters))
        assert response.status_code == 200, response.text
        assert isinstance(response.json, dict)
        return response.json


def claims_of(token: str) -> dict[str, Any]:
    """Read the claims of a token, without checks."""
    claims = json.loads(parse_compact(token).payload)
    assert isinstance(claims, dict)
    return claims


def answered(response: TestResponse, redirect_uri: str = CALLBACK) -> dict[str, str]:
    """Read the parameters of an answer in the query of the redirect URI."""
    assert response.status_code == 303, response.text
    location = urlsplit(response.headers["Location"])
    assert response.headers["Location"].startswith(redirect_uri + "?"), response.headers["Location"]
    said = parse_qs(location.query, strict_parsing=True)
    assert all(len(values) == 1 for values in said.values())
    return {name: values[0] for name, values in said.items()}
