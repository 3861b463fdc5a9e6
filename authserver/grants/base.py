"""The phases of a token request, in order. They are here, so that no grant can forget one.

1. The client authenticates. 2. The grant type is looked up. 3. The client must be allowed to use it. 4. The proof of a
key is read, if there is one or the client has to bring one (RFC 9449 §5). 5. The grant answers.

A grant uses the proof up (`TokenRequest.use_proof`) as soon as it knows that the code or token is a real one, and
before it changes anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from authserver.clients.authentication import authenticate_client
from authserver.clients.presented_client import PresentedClient
from authserver.protocol.dpop_request import WITHOUT_PROOF, DpopRequest
from authserver.protocol.oauth_error import OAuthError, invalid_request
from authserver.realm import Realm
from authserver.realm.outcomes import Refused
from authserver.records.audit import Actor
from authserver.records.client import Client
from authserver.tokens.key_proof import ProvenKey, as_oauth_error, find_refresh_jkt, prove_key, use_proof

Answer_co = TypeVar("Answer_co", covariant=True)
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A parsed request to the token endpoint: each parameter once, empty ones left out (RFC 6749 §3.2).

    `key` is the key that the request proves; None where it brings no proof.
    """

    parameters: Mapping[str, str] = field(repr=False)
    client: Client
    ip: str
    key: ProvenKey | None = None

    @property
    def actor(self) -> Actor:
        """The client, for audit records."""
        return Actor(f"client:{self.client.client_id}", self.ip)

    @property
    def jkt(self) -> str | None:
        """The thumbprint of the key, to which the access token is bound; None for a bearer token."""
        return None if self.key is None else self.key.jkt

    @property
    def refresh_jkt(self) -> str | None:
        """The thumbprint of the key to which refresh tokens are bound; None where they are not."""
        return find_refresh_jkt(self.client, self.jkt)

    def use_proof(self, realm: Realm) -> OAuthError | None:
        """Use the proof up, if there is one; refused if it was used before. Writes one row: see the phases above."""
        refused = use_proof(realm, self.key)
        return None if refused is None else as_oauth_error(refused)


class GrantHandler(Protocol[Answer_co]):
    """One `grant_type`, and what it answers."""

    @property
    def grant_type(self) -> str:
        """The value of `grant_type` that selects this grant (RFC 6749 §4, §6)."""
        ...

    def exchange(self, request: TokenRequest, realm: Realm) -> Answer_co | OAuthError:
        """Answer `request`, whose client is authenticated and may use this grant."""
        ...


def answer_token_request(
    grants: Sequence[GrantHandler[Answer]],
    realm: Realm,
    parameters: Mapping[str, str],
    presented: PresentedClient,
    ip: str,
    http: DpopRequest = WITHOUT_PROOF,
) -> Answer | OAuthError:
    """Take a token request through the phases (see the module); the first error is the answer.

    `http` is the request that brought it.
    """
    client = authenticate_client(realm, presented)
    if isinstance(client, OAuthError):
        return client
    grant_type = parameters.get("grant_type")
    if grant_type is None:
        return invalid_request("grant_type is missing.")
    grant = next((grant for grant in grants if grant.grant_type == grant_type), None)
    if grant is None:
        return OAuthError("unsupported_grant_type", "This grant type is not supported.", "unknown grant_type")
    if grant_type not in client.grant_types:
        return OAuthError("unauthorized_client", "This client may not use this grant type.", f"{client.kind.value}")
    key = prove_key(realm, http, client=client)
    if isinstance(key, Refused):
        return as_oauth_error(key)
    return grant.exchange(TokenRequest(parameters, client, ip, key), realm)
