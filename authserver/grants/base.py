"""The phases of a token request, in order. They are here, so that no grant can forget one.

1. The client authenticates. 2. The grant type is looked up. 3. The client must be allowed to use it. 4. The grant
answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from authserver.clients.authentication import PresentedClient, authenticate_client
from authserver.protocol.oauth_error import OAuthError, invalid_request
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.client import Client
from authserver.tokens.token_answer import AccessAnswer


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A parsed request to the token endpoint: each parameter once, empty ones left out (RFC 6749 §3.2)."""

    parameters: Mapping[str, str] = field(repr=False)
    client: Client
    ip: str

    @property
    def actor(self) -> Actor:
        """The client, for audit records."""
        return Actor(f"client:{self.client.client_id}", self.ip)


class GrantHandler(Protocol):
    """One `grant_type`."""

    @property
    def grant_type(self) -> str:
        """The value of `grant_type` that selects this grant (RFC 6749 §4, §6)."""
        ...

    def exchange(self, request: TokenRequest, realm: Realm) -> AccessAnswer | OAuthError:
        """Answer `request`, whose client is authenticated and may use this grant."""
        ...


def answer_token_request(
    grants: Sequence[GrantHandler],
    realm: Realm,
    parameters: Mapping[str, str],
    presented: PresentedClient,
    ip: str,
) -> AccessAnswer | OAuthError:
    """Take a token request through the four phases (see the module); the first error is the answer."""
    client = authenticate_client(realm, presented)
    if isinstance(client, OAuthError):
        return client
    grant_type = parameters.get("grant_type")
    if grant_type is None:
        return invalid_request("grant_type is missing.")
    grant = next((grant for grant in grants if grant.grant_type == grant_type), None)
    if grant is None:
        return OAuthError("unsupported_grant_type", "This grant type is not supported.", "unknown grant_type")
    if grant_type not in client.kind.grant_types:
        return OAuthError("unauthorized_client", "This client may not use this grant type.", f"{client.kind.value}")
    return grant.exchange(TokenRequest(parameters, client, ip), realm)
