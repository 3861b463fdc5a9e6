"""The server under test, behind TLS, with a user whose profile is complete, and the clients that the plans need."""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from tests.conformance.plans import Plan
from tests.conformance.suite import ALIAS, Members, Suite
from tests.support.people.device import Device, register
from tests.support.world.secure_server import secure_server
from tests.support.world.server import Server

_SCOPE: Final = "openid profile email address phone offline_access"
_CLIENTS: Final = {
    "first": {"--pkce": "optional", "--id-token-alg": "RS256"},
    "second": {"--pkce": "optional", "--id-token-alg": "ES256"},
    "third": {"--pkce": "optional", "--id-token-alg": "RS256"},
    "unprotected": {"--pkce": "waived", "--id-token-alg": "RS256"},
    "listening": {"--pkce": "optional", "--id-token-alg": "RS256"},
}
"""The clients, and what each is registered with beside its addresses. RS256 is what a client of other servers gets by
default (OpenID Connect Dynamic Client Registration §2); ES256 is our own default."""
_ENDPOINTS: Final = {"--redirect-uri": "callback", "--post-logout-redirect-uri": "post_logout_redirect"}
_MORE_ENDPOINTS: Final = {"listening": {"--backchannel-logout-uri": "backchannel_logout"}}
"""A module that expects no logout token fails when one comes, so only one client gets them."""

_BOUND: Final = ("bound", "bound_too")
_BOUND_OPTIONS: Final = (
    *("--jwks", "-", "--auth-method", "private_key_jwt", "--consent", "always"),
    *("--dpop-bound-access-tokens", "--require-pushed-authorization-requests"),
)
_OUR_METADATA: Final = ["revocation_feed_endpoint"]
"""Extensions of ours in the discovery document. The suite warns of every name that it does not know."""


@dataclass(frozen=True, slots=True)
class Installation:
    """`clients` are the credentials of each client, in the suite's words."""

    issuer: str
    email: str
    clients: Mapping[str, Members]

    def configure(self, plan: Plan) -> Members:
        """Write the configuration of `plan`, in the suite's words."""
        return {
            "alias": ALIAS,
            "description": "authserver",
            "resource": {"resourceUrl": f"{self.issuer}/oauth/userinfo"},
            "server": {
                "discoveryUrl": f"{self.issuer}/.well-known/openid-configuration",
                "login_hint": self.email,
                "allow_unexpected_metadata_fields": _OUR_METADATA,
            },
            **{name: self.clients[ours] for name, ours in plan.clients.items()},
            "override": {module: {"client": self.clients[ours]} for module, ours in plan.other_clients.items()},
        }


@contextmanager
def installation(folder: Path, suite: Suite) -> Iterator[Installation]:
    """Install a server in `folder` for `suite`, and run it."""
    parts = urlsplit(suite.url)
    host, port = parts.hostname or "", parts.port or 443
    # Logout tokens go to the suite: the server has to trust its certificate, and it is in a private network.
    trusted = ssl.get_server_certificate((host, port))
    database = f"sqlite:///{folder / 'conformance.db'}"
    with secure_server(folder, database, also_trusted=trusted, PRIVATE_HOSTS=host) as secure:
        email = register(secure.server, name="Ada Lovelace")
        _complete_profile(secure.server, email)
        clients = {name: _register(secure.server, name, options, suite) for name, options in _CLIENTS.items()}
        bound = {name: _register_bound(secure.server, name, suite) for name in _BOUND}
        yield Installation(secure.issuer, email, clients | bound)


def _complete_profile(server: Server, email: str) -> None:
    names = {"given_name": "Ada", "family_name": "Lovelace"}
    profile = {**names, "phone_number": "+442079460000", "address": "12 St James's Square\nLondon"}
    with Device(server, email) as device:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {device.access_token}"}
        answer = device.request("PATCH", "/api/account", json.dumps(profile).encode(), headers)
    assert answer.status == 200, answer


def _register(server: Server, name: str, more: Mapping[str, str], suite: Suite) -> Members:
    """Register a confidential client of a third party: users are asked for their consent. Return its credentials."""
    endpoints = {**_ENDPOINTS, **_MORE_ENDPOINTS.get(name, {})}
    addresses = {option: suite.address_of(endpoint) for option, endpoint in endpoints.items()}
    record = _create(server, name, *chain.from_iterable({**addresses, **more}.items()))
    return {"client_id": record["client_id"], "client_secret": record["client_secret"]}


def _register_bound(server: Server, name: str, suite: Suite) -> Members:
    """Register a client as FAPI 2.0 demands it: with a key in place of a secret, DPoP, and pushed requests."""
    private = ec.generate_private_key(ec.SECP256R1())
    key, public = (
        {**ECAlgorithm.to_jwk(one, as_dict=True), "kid": name, "use": "sig", "alg": "ES256"}
        for one in (private, private.public_key())
    )
    callback = suite.address_of("callback")
    uris = ("--redirect-uri", callback, "--redirect-uri", f"{callback}?dummy1=lorem&dummy2=ipsum")
    record = _create(server, name, *_BOUND_OPTIONS, *uris, stdin=json.dumps({"keys": [public]}))
    scope = "openid profile offline_access"
    return {"client_id": record["client_id"], "scope": scope, "jwks": {"keys": [key]}}


def _create(server: Server, name: str, *options: str, stdin: str = "") -> Members:
    typed = ("clients", "create", name, "--confidential", "--json", "--scope", _SCOPE, *options)
    made = server.installation.type(*typed, stdin=stdin)
    assert made.exit_code == 0, made.output
    record: Members = json.loads(made.stdout)
    return record
