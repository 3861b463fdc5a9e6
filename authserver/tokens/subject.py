"""The names by which a client knows a user and their device (OpenID Connect Core §8)."""

import hashlib
import hmac
from typing import Final

from authserver.protocol import base64url
from authserver.records.client import Client

SUBJECT_TYPES: Final = ("public", "pairwise")


def subject_identifier(client: Client, user_id: str) -> str:
    """The `sub` in ID tokens and at userinfo: the user's id, or for a pairwise client a name that no other client sees.

    Each client has a salt of its own, so each client is a separate sector (§8.1). Access tokens always carry the user's
    id: they are for resource servers, and no client has to read them.
    """
    if client.pairwise_salt is None:
        return user_id
    return base64url.encode(hmac.digest(client.pairwise_salt, user_id.encode(), hashlib.sha256))


def device_identifier(client: Client, device_id: str) -> str:
    """The `device_id` in token answers: the id itself for a first-party client, otherwise a pseudonym for the client.

    The id itself protects its owner from being locked out by a flood of wrong passwords
    (`authentication.known_device`), so no other client gets it. The server does not accept the pseudonym.
    """
    if client.first_party:
        return device_id
    return base64url.encode(hmac.digest(device_id.encode(), client.client_id.encode(), hashlib.sha256)[:16])
