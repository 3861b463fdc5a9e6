"""Client authentication at the token, revocation and feed endpoints (RFC 6749 §2.3, OAuth 2.1 §2.4).

A client secret is 256 random bits, so a plain SHA-256 keeps it; a password hash would only slow every request.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_plus

from authserver.protocol import base64url
from authserver.protocol.entropy import Entropy
from authserver.protocol.secret import Secret
from authserver.storage.clients import Client


@dataclass(frozen=True, slots=True)
class PresentedClient:
    """What a request says about its client: from the `Authorization` header or from the form, never both."""

    client_id: str
    secret: Secret | None


@dataclass(frozen=True, slots=True)
class ClientRefused:
    """Why the client was refused. `reason` is for the log; the other side hears `invalid_client` alone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Conflicting:
    """More than one authentication method in one request (RFC 6749 §2.3): `invalid_request`."""


def read_client(authorization: str | None, client_id: str | None, secret: str | None) -> PresentedClient | ClientRefused | Conflicting:  # noqa: E501, PLR0911 - one line per rule
    """What the request presents, from its `Authorization` header and the form's `client_id` and `client_secret`."""
    if authorization is None:
        if client_id is None:
            return ClientRefused("no client named")
        return PresentedClient(client_id, None if secret is None else Secret(secret))
    if secret is not None:
        return Conflicting()
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ClientRefused("unknown authentication scheme")
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ClientRefused("broken Basic credentials")
    name, colon, password = decoded.partition(":")
    if not colon:
        return ClientRefused("broken Basic credentials")
    # RFC 6749 §2.3.1: both are form-encoded before they are joined.
    name, password = unquote_plus(name), unquote_plus(password)
    if client_id is not None and client_id != name:
        return Conflicting()
    return PresentedClient(name, Secret(password))


def authenticate(presented: PresentedClient, find: Callable[[str], Client | None]) -> Client | ClientRefused:
    """The client that proved to be itself, or why not.

    NOT checked: whether it is disabled (`Client.disabled_at`), and what it may do. The statements read the former in the
    database, because a record from memory may be seconds old.
    """
    client = find(presented.client_id)
    if client is None:
        return ClientRefused("unknown client")
    if client.secret_digest is None:
        return client if presented.secret is None else ClientRefused("a public client has no secret")
    if presented.secret is None:
        return ClientRefused("secret missing")
    if not hmac.compare_digest(digest_secret(presented.secret), client.secret_digest):
        return ClientRefused("wrong secret")
    return client


def create_secret(entropy: Entropy) -> Secret:
    """A client secret of 256 random bits."""
    return Secret("cs_" + base64url.encode(entropy(32)))


def digest_secret(secret: Secret) -> bytes:
    """What the database keeps of a client secret."""
    return hashlib.sha256(secret.reveal().encode("utf-8", "surrogatepass")).digest()
