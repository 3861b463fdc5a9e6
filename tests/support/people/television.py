"""A device without a browser, and the person in front of it (RFC 8628)."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from authserver.clients.client_registration import ClientRegistration
from authserver.clients.register_client import RegisteredClient, register_client
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.device_code import DEVICE_GRANT
from authserver.realm import Realm
from tests.support.people.api import Api, content
from tests.support.people.pages import Form, Pages
from tests.support.world.realm import EMAIL, PASSWORD

TELEVISION = "Television"
SCOPE = ("openid", "profile", "watch", "offline_access")


def register_television(realm: Realm, **registration: Any) -> str:  # noqa: ANN401 - the attributes of a ClientRegistration
    """The id of a client for devices."""
    members: dict[str, Any] = {"scope": SCOPE, **registration}
    registered = register_client(realm, ClientRegistration(TELEVISION, ClientKind.DEVICE, **members))
    assert isinstance(registered, RegisteredClient), registered
    return registered.client.client_id


@dataclass
class Television:
    """One device: it holds the answer to its request, and polls."""

    api: Api
    client_id: str
    codes: dict[str, Any] = field(default_factory=dict)

    def ask(self, /, ip: str = "198.51.100.7", **parameters: str) -> TestResponse:
        """Ask for codes."""
        form = {"client_id": self.client_id, **parameters}
        environ = {"REMOTE_ADDR": ip}
        return self.api.client.post("/oauth/device_authorization", data=form, environ_overrides=environ)

    def begin(self, /, ip: str = "198.51.100.7", **parameters: str) -> "Television":
        """Get codes, and show one of them."""
        self.codes = content(self.ask(ip, **parameters), 200)
        return self

    @property
    def user_code(self) -> str:
        """What it shows."""
        code: str = self.codes["user_code"]
        return code

    @property
    def link(self) -> str:
        """The link in its QR code, below the issuer."""
        parts = urlsplit(self.codes["verification_uri_complete"])
        return f"{parts.path}?{parts.query}"

    def poll(self, /, proof: str | None = None, **parameters: str) -> TestResponse:
        """Ask whether it may go on, with a DPoP proof or without."""
        form = {"grant_type": DEVICE_GRANT, "device_code": self.codes["device_code"], "client_id": self.client_id}
        return self.api.client.post("/oauth/token", data={**form, **parameters}, headers=_carry(proof))

    def hear(self, /, **parameters: str) -> str:
        """The refusal that a poll gets."""
        error: str = content(self.poll(**parameters), 400)["error"]
        return error

    def refresh(self, refresh_token: str, proof: str | None = None) -> TestResponse:
        """Exchange its refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self.client_id}
        return self.api.client.post("/oauth/token", data=form, headers=_carry(proof))


def _carry(proof: str | None) -> dict[str, str]:
    return {} if proof is None else {"DPoP": proof}


@dataclass
class Viewer:
    """A person at a browser who connects devices."""

    pages: Pages
    email: str = EMAIL
    password: str = PASSWORD

    def follow(self, response: TestResponse) -> TestResponse:
        """Go on as long as it is to pages of ours."""
        while response.status_code == 303:
            response = self.pages.get(response.headers["Location"])
        return response

    def visit(self, path: str = "/device") -> TestResponse:
        """Go to the page, and sign in for it."""
        page = self.follow(self.pages.get(path))
        return self.sign_in(page) if 'name="password"' in page.text else page

    def sign_in(self, page: TestResponse) -> TestResponse:
        """Type the password into the form of `page`."""
        values = {**Form(page.text, "password").values, "email": self.email, "password": self.password}
        return self.follow(self.pages.post("/login", None, **values))

    def type_code(self, page: TestResponse, user_code: str | None = None) -> TestResponse:
        """Type a code into the form of `page`, or send what stands there."""
        form = Form(page.text, "user_code")
        typed = form.values["user_code"] if user_code is None else user_code
        return self.follow(self.pages.post(form.action, None, **{**form.values, "user_code": typed}))

    def decide(self, page: TestResponse, decision: str = "allow") -> TestResponse:
        """Press a button of the page that asks."""
        assert 'name="decision"' in page.text, page.text
        form = Form(page.text)
        return self.follow(self.pages.post(form.action, None, **form.values, decision=decision))

    def claim(self, user_code: str) -> TestResponse:
        """The page that asks, after typing the code."""
        return self.type_code(self.visit(), user_code)

    def allow(self, television: Television) -> TestResponse:
        """Connect the device."""
        return self.decide(self.claim(television.user_code))
