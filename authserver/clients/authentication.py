"""Client authentication at the token, revocation and other OAuth endpoints (RFC 6749 §2.3, OAuth 2.1 §2.4).

A client secret is 256 random bits, so a plain SHA-256 protects it; a password hash would only slow every request.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote_plus

from authserver.protocol import base64url
from authserver.protocol.entropy import Entropy
from authserver.protocol.oauth_error import OAuthError, invalid_client, invalid_request
from authserver.protocol.secret import Secret
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.records.client import Client, FormerSecret


@dataclass(frozen=True, slots=True)
class PresentedClient:
    """The client credentials of a request: from the `Authorization` header or from the form, never both."""

    client_id: str
    secret: Secret | None


def read_client(authorization: str | None, client_id: str | None, secret: str | None) -> PresentedClient | OAuthError:
    """Read the client credentials from the `Authorization` header, or the form's `client_id` and `client_secret`."""
    if authorization is None:
        if client_id is None:
            return invalid_client("no client named")
        return PresentedClient(client_id, None if secret is None else Secret(secret))
    basic = _read_basic(authorization)
    if basic is None:
        return invalid_client("broken Authorization header")
    if secret is not None or client_id not in {None, basic.client_id}:
        return invalid_request("Use one way of client authentication.")
    return basic


def _read_basic(authorization: str) -> PresentedClient | None:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    if not is_storable(decoded):
        return None
    # RFC 6749 §2.3.1: id and secret are form-encoded before they are joined.
    client_id, colon, secret = (unquote_plus(part) for part in decoded.partition(":"))
    return (
        PresentedClient(client_id, Secret(secret)) if colon and is_storable(client_id) and is_storable(secret) else None
    )


def authenticate_client(realm: Realm, presented: PresentedClient) -> Client | OAuthError:
    """Authenticate the client; return it, if it is enabled, or the refusal.

    NOT checked: what it may do, and whether it was disabled within the last seconds, because its record may be from
    memory. Statements that must not be late read this from the database.
    """
    client = realm.clients.find(presented.client_id)
    if client is None:
        return invalid_client("unknown client")
    if not client.is_enabled:
        return invalid_client("disabled client")
    if client.secret_digest is None:
        return client if presented.secret is None else invalid_client("a public client has no secret")
    if presented.secret is None:
        return invalid_client("secret missing")
    if not _is_secret(presented.secret, client.secret_digest, client.former_secret, realm.clock.now()):
        return invalid_client("wrong secret")
    return client


def _is_secret(shown: Secret, current: bytes, former: FormerSecret | None, now: datetime) -> bool:
    digest = digest_secret(shown)
    is_current = hmac.compare_digest(digest, current)
    is_former = former is not None and hmac.compare_digest(digest, former.digest) and now < former.expires_at
    return is_current or is_former


def create_secret(entropy: Entropy) -> Secret:
    """Make a client secret of 256 random bits."""
    return Secret("cs_" + base64url.encode(entropy(32)))


def digest_secret(secret: Secret) -> bytes:
    """The digest of a client secret, which is all that the database keeps."""
    return hashlib.sha256(secret.reveal().encode("utf-8", "surrogatepass")).digest()
