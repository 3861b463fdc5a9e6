"""A program without users: it calls an API with access tokens of its own, which it gets by its key or its secret."""

import os
from pathlib import Path

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey

ISSUER = os.environ.get("AUTHSERVER_ISSUER", "http://127.0.0.1:8000")
API = os.environ.get("API", "http://127.0.0.1:8001/me")


def open_session() -> OAuth2Session:
    """Open a session that gets a token when it needs one, and another one before it expires."""
    found = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=10).json()
    endpoint = found["token_endpoint"]
    options = {"grant_type": "client_credentials", "token_endpoint": endpoint, "default_timeout": 10}
    if "CLIENT_KEY" in os.environ:  # a PEM file with the private key; the server has the public one
        key = ECKey.import_key(Path(os.environ["CLIENT_KEY"]).read_text())
        session = OAuth2Session(os.environ["CLIENT_ID"], key, "private_key_jwt", scope="profile", **options)
        session.register_client_auth_method(PrivateKeyJWT(ISSUER, alg="ES256"))
    else:
        session = OAuth2Session(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"], scope="profile", **options)
    session.fetch_token(endpoint)
    return session


def main() -> None:
    """Call the API, and print what it says about the caller."""
    with open_session() as session:
        answer = session.get(API)
        print(answer.status_code, answer.text.strip())


if __name__ == "__main__":
    main()
