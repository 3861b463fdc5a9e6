"""The example resource servers, as they are started: each guards its route, and sees within seconds what is revoked."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from authserver.protocol.revocation_feed import TokenEntry
from tests.support.wire.http import HttpClient
from tests.support.world.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, running_issuer
from tests.support.world.processes import PATIENCE, free_port, wait_until
from tests.support.world.tokens import make_pair

ROOT = Path(__file__).parents[2]
EXAMPLES = ("resource_server", "fastapi_server", "django_server")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer(make_pair("k", "ES256")) as issuer:
        yield issuer


@pytest.fixture(params=EXAMPLES)
def port(request: pytest.FixtureRequest, issuer: Issuer, tmp_path: Path) -> Iterator[int]:
    """Where the example listens."""
    port = free_port()
    mine = {"AUTHSERVER_ISSUER": issuer.url, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET, "PORT": str(port)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, ROOT / "examples" / request.param / "app.py"],
            env={**os.environ, "PYTHONPATH": str(ROOT), **mine},
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: answers(port), "the start of the example")
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


def answers(port: int) -> bool:
    try:
        return ask(port, "/") == 200
    except ConnectionError:
        return False


def ask(port: int, path: str, token: str | None = None) -> int:
    with HttpClient(port) as client:
        return client.get(path, bearer=token).status


def test_a_protected_route_in_ten_lines(port: int, issuer: Issuer) -> None:
    """A resource server in each of Flask, FastAPI, Django; RFC 9728 §3."""
    now = int(time.time())
    audience = f"{issuer.url}/api"
    times = {"iat": now, "exp": now + 300, "auth_time": now}
    token = issuer.token(aud=audience, scope="profile", **times)
    other = issuer.token(aud=audience, scope="profile", jti="token-2", **times)
    assert ask(port, "/me") == 401
    assert ask(port, "/me", issuer.token(aud=audience, scope="openid", **times)) == 403
    assert [ask(port, "/me", each) for each in (token, other)] == [200, 200]
    issuer.feed.add(TokenEntry("token-1", now))
    wait_until(lambda: ask(port, "/me", token) == 401, "the revocation")
    assert ask(port, "/me", other) == 200
    with HttpClient(port) as client:
        found = client.get("/.well-known/oauth-protected-resource")
    assert found.json["resource"] == audience
    assert found.json["authorization_servers"] == [issuer.url]
