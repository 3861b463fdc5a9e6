"""A program with a key of its own, whose tokens are bound to it, at the doors of an installation."""

from datetime import timedelta
from typing import Any

from werkzeug.test import TestResponse

from tests.support.people.api import Api, content
from tests.support.world.clock import ManualClock
from tests.support.world.proofs import ProofKey
from tests.support.world.realm import EMAIL, ISSUER, PASSWORD

__all__ = ["ISSUER", "DpopDevice"]


class DpopDevice:
    """Signed in through the JSON API, with a proof; holds what it received last."""

    def __init__(self, api: Api, clock: ManualClock, *, with_nonce: bool = False) -> None:
        """Sign in, `with_nonce` where the installation demands one."""
        self.api = api
        self.key = ProofKey()
        self._clock = clock
        nonce = self.fetch_nonce() if with_nonce else "ignored where none is demanded"
        self.tokens: dict[str, Any] = content(self.login(self.prove("POST", "/api/login", nonce=nonce)), 200)

    @property
    def key_time(self) -> float:
        """What the clock of the program says."""
        return self._clock.seconds()

    def wait(self, time: timedelta) -> None:
        self._clock.advance(time)

    def fetch_nonce(self) -> str:
        """The nonce that comes with a refusal."""
        return self.login(self.prove("POST", "/api/login")).headers["DPoP-Nonce"]

    def prove(self, method: str, path: str, access_token: str | None = None, **claims: object) -> str:
        """A fresh proof for a request to `path`, changed by `claims`."""
        return self.key.prove(method, f"{ISSUER}{path}", self._clock.seconds(), access_token, **claims)

    def login(self, proof: str, **body: object) -> TestResponse:
        members = {"email": EMAIL, "password": PASSWORD, **body}
        return self.api.client.post("/api/login", json=members, headers={"DPoP": proof})

    def post_refresh(self, proof: str | None, refresh_token: str | None = None) -> TestResponse:
        """Present the refresh token held, or another one."""
        form = {
            "grant_type": "refresh_token",
            "client_id": "first-party",
            "refresh_token": refresh_token or self.tokens["refresh_token"],
        }
        return self.api.client.post("/oauth/token", data=form, headers={} if proof is None else {"DPoP": proof})

    def refresh(self) -> dict[str, Any]:
        """Refresh with a good proof, and hold what comes back."""
        self.tokens |= content(self.post_refresh(self.prove("POST", "/oauth/token")), 200)
        return self.tokens

    def call(self, method: str, path: str, json: object = None, *, proof: str | None = None) -> TestResponse:
        """Call `path` with the access token held, and with a good proof or another one."""
        token = self.tokens["access_token"]
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof or self.prove(method, path, token)}
        return self.api.client.open(path, method=method, json=json, headers=headers)
