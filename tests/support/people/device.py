"""A client application on a device. It keeps the last tokens that it received, and nothing else."""

import uuid
from typing import Any

from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from tests.support.people.refreshing import end_rest
from tests.support.wire.http import Answer, HttpClient
from tests.support.world.databases import opened
from tests.support.world.realm import PASSWORD
from tests.support.world.server import Server


def register(server: Server, **more: str) -> str:
    """Register a new user with the members `more`; return their address."""
    email = f"{uuid.uuid4().hex}@example.test"
    with HttpClient(server.port) as client:
        answer = client.post_json("/api/register", email=email, password=PASSWORD, **more)
    assert answer.status == 201, answer
    return email


class Device(HttpClient):
    """A device that is signed in as the user with the address `email`. Not for several threads."""

    def __init__(self, server: Server, email: str, **claim: str) -> None:
        """Sign in; `claim` may name the device (`device_id`, `device_name`)."""
        super().__init__(server.port)
        self._database_url = server.installation.database_url
        answer = self.post_json("/api/login", email=email, password=PASSWORD, **claim)
        assert answer.status == 200, answer
        self._take(answer)

    def refresh(self) -> Answer:
        """Present the kept refresh token, and keep the new tokens."""
        answer = self.present(self.refresh_token)
        assert answer.status == 200, answer
        self._take(answer)
        return answer

    def rotate(self) -> Answer:
        """Refresh after the rest of the last rotation, so that there is a new refresh token."""
        with opened(self._database_url) as database:
            end_rest(database, self.sid)
        held = self.refresh_token
        answer = self.refresh()
        assert self.refresh_token != held
        return answer

    def present(self, refresh_token: str) -> Answer:
        """Present a refresh token, and keep the tokens from before."""
        return self.post_form("/oauth/token", **refresh_form(refresh_token))

    def present_and_hang_up(self, refresh_token: str) -> None:
        """Present a refresh token, and lose the answer."""
        self.post_form_and_hang_up("/oauth/token", **refresh_form(refresh_token))

    def ask_account(self) -> Answer:
        """Call the account API with the kept access token."""
        return self.get("/api/account", bearer=self.access_token)

    def _take(self, answer: Answer) -> None:
        tokens: dict[str, Any] = answer.json
        self.access_token: str = tokens["access_token"]
        self.refresh_token: str = tokens["refresh_token"]
        self.sid: str = tokens["sid"]


def refresh_form(refresh_token: str) -> dict[str, str]:
    """The parameters of a refresh by a public client."""
    return {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": FIRST_PARTY_CLIENT_ID}


def assert_alive(device: Device) -> None:
    """Assert that the session is live, at the token endpoint and at the account API."""
    assert device.ask_account().status == 200
    device.refresh()
    assert device.ask_account().status == 200


def assert_dead(device: Device) -> None:
    """Assert that the session has ended, at the token endpoint and at the account API at once."""
    assert_refused(device.present(device.refresh_token))
    account = device.ask_account()
    assert (account.status, account.json["code"]) == (401, "session_revoked")


def assert_refused(answer: Answer, *, soft_logout: bool = False) -> None:
    """Assert that a refresh was refused with `invalid_grant`, without a server error."""
    assert (answer.status, answer.json["error"]) == (400, "invalid_grant")
    assert answer.json["soft_logout"] is soft_logout
