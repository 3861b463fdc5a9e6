"""Machine clients: programs that ask for tokens of their own, with a secret or with a key."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from werkzeug.test import TestResponse

from authserver.clients.register_client import ClientRegistration, RegisteredClient, register_client
from authserver.jose.algorithms import find_client_algorithm
from authserver.protocol import base64url
from authserver.protocol.client_metadata import ASSERTION_TYPE, TOKEN_PATH, ClientKind
from authserver.realm import Realm
from tests.support.people.api import Api
from tests.support.world.realm import ISSUER
from tests.support.world.rsa_keys import rsa_key
from tests.support.world.tokens import SigningPair, encode, jwks

TOKEN_ENDPOINT = ISSUER + TOKEN_PATH
_numbers = count(1)


def make_client_pair(kid: str, name: str) -> SigningPair:
    """A key of a client; for RSA the same one each time."""
    algorithm = find_client_algorithm(name)
    assert algorithm is not None
    return SigningPair(kid, algorithm, rsa_key() if name in {"RS256", "PS256"} else algorithm.generate())


def register_machine(realm: Realm, kind: ClientKind = ClientKind.SERVICE, **settings: Any) -> RegisteredClient:  # noqa: ANN401 - a registration's own fields
    """A client that acts for itself."""
    settings.setdefault("scope", ("reports:read", "reports:write"))
    registration = ClientRegistration("Nightly report", kind, **settings)
    registered = register_client(realm, registration)
    assert isinstance(registered, RegisteredClient), registered
    return registered


def by_secret(registered: RegisteredClient) -> dict[str, str]:
    """The members of a form that prove a client."""
    assert registered.secret is not None
    return {"client_id": registered.client.client_id, "client_secret": registered.secret.reveal()}


@dataclass(frozen=True)
class KeyedClient:
    """A client that signs its assertions with `pair`."""

    client_id: str
    pair: SigningPair
    now: int
    audience: str = ISSUER
    header: Mapping[str, object] = field(default_factory=dict)

    def claims(self, **changes: object) -> dict[str, object]:
        """What a good assertion says, changed by `changes`; each has a `jti` of its own."""
        return {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "exp": self.now + 60,
            "iat": self.now,
            "jti": f"assertion-{next(_numbers)}",
            **changes,
        }

    def assertion(self, **changes: object) -> str:
        """A good assertion, changed by `changes`."""
        header = {"alg": self.pair.algorithm.name, "kid": self.pair.kid, **self.header}
        return self.pair.sign(encode(header), encode(self.claims(**changes)))

    def proof(self, assertion: str | None = None) -> dict[str, str]:
        """The members of a form that prove it."""
        shown = self.assertion() if assertion is None else assertion
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": shown}


def register_keyed(realm: Realm, *pairs: SigningPair, **settings: Any) -> KeyedClient:  # noqa: ANN401 - a registration's own fields
    """A client with the keys `pairs`, inline unless `settings` name a `jwks_uri`; it signs with the first."""
    own = settings if "jwks_uri" in settings else {"jwks": jwks(*pairs).decode(), **settings}
    registered = register_machine(realm, **own)
    assert registered.secret is None
    return KeyedClient(registered.client.client_id, pairs[0], int(realm.clock.seconds()))


def ask_token(api: Api, credentials: Mapping[str, str], **form: str) -> TestResponse:
    """`grant_type=client_credentials`."""
    return api.client.post(TOKEN_PATH, data={"grant_type": "client_credentials", **credentials, **form})


def read_payload(token: str) -> dict[str, Any]:
    """What a token says; nothing is checked."""
    payload: dict[str, Any] = json.loads(base64url.decode(token.split(".")[1]))
    return payload
