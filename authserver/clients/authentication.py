"""Client authentication at the token, revocation and other OAuth endpoints (RFC 6749 §2.3, OAuth 2.1 §2.4).

A request proves its client by one method, and each client has its own: `CHECKS` says how each method is checked. What
is in this table is served, and discovery names exactly that.
"""

from collections.abc import Callable, Mapping
from typing import Final

from authserver.clients.assertion_proof import check_assertion
from authserver.clients.client_secret import is_secret_of
from authserver.clients.presented_client import PresentedClient
from authserver.jose.client_assertion import UnprovenAssertion
from authserver.protocol.client_metadata import AuthMethod
from authserver.protocol.oauth_error import OAuthError, invalid_client
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.records.client import Client

Check = Callable[[Realm, Client, PresentedClient], OAuthError | None]


def authenticate_client(realm: Realm, presented: PresentedClient) -> Client | OAuthError:
    """Authenticate the client; return it, if it is enabled, or the refusal.

    NOT checked: what it may do, and whether it was disabled within the last seconds, because the client may come from
    memory. Statements that must not be late read this from the database.
    """
    client = realm.clients.find(presented.client_id)
    if client is None:
        return invalid_client("unknown client")
    if not client.is_enabled:
        return invalid_client("disabled client")
    if presented.method not in client.auth_methods:
        return invalid_client(f"the client does not authenticate by {presented.method.value}")
    return CHECKS[presented.method](realm, client, presented) or client


def _check_nothing(_realm: Realm, _client: Client, _presented: PresentedClient) -> None:
    """A public client names itself, and proves with its code or token that it may have the tokens."""


def _check_secret(realm: Realm, client: Client, presented: PresentedClient) -> OAuthError | None:
    is_right = isinstance(presented.proof, Secret) and is_secret_of(client, presented.proof, realm.clock.now())
    return None if is_right else invalid_client("wrong secret")


def _check_assertion(realm: Realm, client: Client, presented: PresentedClient) -> OAuthError | None:
    if not isinstance(presented.proof, UnprovenAssertion):
        return invalid_client("assertion missing")
    return check_assertion(realm, client, presented.proof, presented.path)


CHECKS: Final[Mapping[AuthMethod, Check]] = {
    AuthMethod.NONE: _check_nothing,
    AuthMethod.CLIENT_SECRET_BASIC: _check_secret,
    AuthMethod.CLIENT_SECRET_POST: _check_secret,
    AuthMethod.PRIVATE_KEY_JWT: _check_assertion,
}
"""How each method is checked; None when the proof is good."""
