"""Under which names a client knows a user and his device (OpenID Connect Core §8)."""

import hashlib
import hmac
from typing import Final

from authserver.protocol import base64url
from authserver.records.client import Client

SUBJECT_TYPES: Final = ("public", "pairwise")


def subject_identifier(client: Client, user_id: str) -> str:
    """`sub` in ID tokens and at userinfo: the user's id, or for a pairwise client a name that no other client sees.

    The salt is the client's own, so each client is a sector by itself (§8.1). Access tokens carry the user's id all the
    same: they are for resource servers, and no client has to read them.
    """
    if client.pairwise_salt is None:
        return user_id
    return base64url.encode(hmac.digest(client.pairwise_salt, user_id.encode(), hashlib.sha256))


def device_identifier(client: Client, device_id: str) -> str:
    """`device_id` in token answers: for a client that is not our own a name that stands for it, and is of no use here.

    The id itself keeps a flood of wrong passwords from locking its owner out (`authentication.known_device`): nobody
    else needs it.
    """
    if client.first_party:
        return device_id
    return base64url.encode(hmac.digest(device_id.encode(), client.client_id.encode(), hashlib.sha256)[:16])
