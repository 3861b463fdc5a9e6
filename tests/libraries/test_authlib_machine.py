"""Authlib, unpatched, as a program without users: by a secret in both ways, and by a key of each algorithm."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from authserver.verifier import ClientToken, Verifier
from tests.support.world.secure_server import SecureServer

EDDSA = pytest.param("EdDSA", marks=pytest.mark.filterwarnings("ignore:EdDSA is deprecated"))
"""It is now called Ed25519 (RFC 9864), and joserfc says so."""

Proof = str | ECKey | OKPKey | RSAKey


def make_key(algorithm: str) -> ECKey | OKPKey | RSAKey:
    """A key of a client, as joserfc makes it."""
    match algorithm:
        case "ES256":
            return ECKey.generate_key("P-256", {"kid": "k"})
        case "EdDSA":
            return OKPKey.generate_key("Ed25519", {"kid": "k"})
        case _:
            return RSAKey.generate_key(3072, {"kid": "k", "alg": algorithm})


def register(secure: SecureServer, *options: str) -> dict[str, Any]:
    """A new service."""
    made = secure.server.installation.type(
        "clients", "create", "Report", "--service", "--scope", "reports:read", "--json", *options
    )
    assert made.exit_code == 0, made.output
    record: dict[str, Any] = json.loads(made.stdout)
    return record


def open_session(secure: SecureServer, client_id: str, proof: Proof, method: str) -> OAuth2Session:
    return OAuth2Session(
        client_id,
        proof,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        token_endpoint=f"{secure.issuer}/oauth/token",
        grant_type="client_credentials",
    )


@pytest.fixture(autouse=True)
def roots(secure: SecureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests and the verifier trust the server's certificate, whatever this machine tells them to trust."""
    for variable in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(variable, str(secure.roots))


@pytest.fixture(params=["client_secret_basic", "client_secret_post", "ES256", EDDSA, "RS256", "PS256"])
def session(request: pytest.FixtureRequest, secure: SecureServer, tmp_path: Path) -> Iterator[OAuth2Session]:
    """A session of a service that is registered for this method or algorithm."""
    if request.param.startswith("client_secret"):
        record = register(secure, "--auth-method", request.param)
        with open_session(secure, record["client_id"], record["client_secret"], request.param) as session:
            yield session
        return
    key = make_key(request.param)
    (tmp_path / "keys.json").write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    record = register(secure, "--jwks", str(tmp_path / "keys.json"))
    with open_session(secure, record["client_id"], key, "private_key_jwt") as session:
        session.register_client_auth_method(PrivateKeyJWT(alg=request.param))
        yield session


def test_a_token_is_fetched_introspected_renewed_and_revoked(session: OAuth2Session, secure: SecureServer) -> None:
    """RFC 6749 §4.4; ASVS 10.4.16: asymmetric client authentication, with a library that nobody here wrote."""
    token = session.fetch_token()
    assert (token["scope"], token["token_type"]) == ("reports:read", "Bearer")
    assert "refresh_token" not in token
    introspect = f"{secure.issuer}/oauth/introspect"
    said = session.introspect_token(introspect, token=token["access_token"]).json()
    assert (said["active"], said["sub"]) == (True, session.client_id)
    session.token = {**token, "expires_at": 1}
    session.ensure_active_token(session.token)
    assert session.token["access_token"] != token["access_token"]
    assert session.revoke_token(f"{secure.issuer}/oauth/revoke", token=token["access_token"]).status_code == 200
    assert session.introspect_token(introspect, token=token["access_token"]).json() == {"active": False}


def test_an_api_tells_it_from_a_user(secure: SecureServer) -> None:
    """RFC 9068 §5: our own verifier, on the token of a real server."""
    record = register(secure)
    with open_session(secure, record["client_id"], record["client_secret"], "client_secret_basic") as session:
        token = session.fetch_token()["access_token"]
    verifier = Verifier(secure.issuer, f"{secure.issuer}/api")
    claims = verifier.verify(token)
    assert isinstance(claims, ClientToken)
    assert claims.client_id == record["client_id"]


def test_a_refusal_is_the_error_of_the_rfc(secure: SecureServer) -> None:
    record = register(secure, "--auth-method", "client_secret_post")
    with (
        open_session(secure, record["client_id"], record["client_secret"], "client_secret_basic") as session,
        pytest.raises(OAuthError, match="invalid_client"),
    ):
        session.fetch_token()
