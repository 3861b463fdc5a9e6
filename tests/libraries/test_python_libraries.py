"""Authlib and requests-oauthlib, with the lines that `docs/libraries.md` gives for them."""

import re
from typing import Any

import pytest
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from joserfc import jwt
from joserfc.jwk import KeySet
from requests_oauthlib import OAuth2Session as RequestsSession

from tests.libraries.lines import PAGE, read_lines
from tests.support.world.secure_server import CALLBACK, SecureServer, sign_in
from tests.support.world.server import ROOT


@pytest.fixture(autouse=True)
def trusted(secure: SecureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine whose operator trusts the authority behind the server's certificate."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secure.roots))


def run(secure: SecureServer, email: str, session: type[Any], heading: str) -> dict[str, Any]:
    """Run the lines below `heading` for a new client and the user with `email`; the names that they leave."""
    record = secure.register_app("--confidential")
    names: dict[str, Any] = {
        "OAuth2Session": session,
        "ISSUER": secure.issuer,
        "CLIENT_ID": record["client_id"],
        "CLIENT_SECRET": record["client_secret"],
        "REDIRECT_URI": CALLBACK,
        "VERIFIER": "v" * 64,
    }
    before, leads, after = re.split(r"^(url, state = .*\n)", read_lines(heading), flags=re.MULTILINE)
    exec(before + leads, names)  # noqa: S102 - what docs/libraries.md says
    with secure.browse() as visitor:
        names["CALLBACK"] = sign_in(visitor, names["url"], email)
    exec(after, names)  # noqa: S102
    return names


def test_authlib_signs_in_and_checks_the_id_token(secure: SecureServer, email: str) -> None:
    names = run(secure, email, AuthlibSession, "Authlib")
    oauth, tokens = names["oauth"], names["tokens"]
    keys = KeySet.import_key_set(oauth.get(f"{secure.issuer}/.well-known/jwks.json").json())
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["ES256"]).claims
    userinfo = oauth.get(f"{secure.issuer}/oauth/userinfo").json()
    assert (userinfo["email"], userinfo["sub"]) == (email, claims["sub"])
    renewed = oauth.refresh_token(f"{secure.issuer}/oauth/token", refresh_token=tokens["refresh_token"])
    assert renewed["access_token"] != tokens["access_token"]


def test_requests_oauthlib_signs_in_and_refreshes(secure: SecureServer, email: str) -> None:
    names = run(secure, email, RequestsSession, "requests-oauthlib")
    assert names["renewed"]["access_token"] != names["tokens"]["access_token"]
    assert names["oauth"].get(f"{secure.issuer}/oauth/userinfo").json()["email"] == email


@pytest.mark.parametrize("name", re.findall(r"^\| \[([\w-]+)\]\(", PAGE, re.MULTILINE))
def test_the_page_names_the_versions_that_run_here(name: str) -> None:
    """And the file of its test."""
    row = re.search(rf"^\| \[{re.escape(name)}\].*$", PAGE, re.MULTILINE)
    assert row is not None
    _, _, version, _, _, test, _ = re.split(r" ?\| ?", row[0])
    pinned = (ROOT / "requirements.lock").read_text() + (ROOT / "tests/libraries/node/package.json").read_text()
    assert re.search(rf'^\s*"?{re.escape(name)}"?(==|: "){re.escape(version)}\W', pinned, re.MULTILINE | re.IGNORECASE)
    assert (ROOT / test.strip("`")).exists()
