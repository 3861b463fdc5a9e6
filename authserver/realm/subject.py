"""Under which name a client knows a user (OpenID Connect Core §8)."""

import hashlib
import hmac
from typing import Final

from authserver.protocol import base64url
from authserver.storage.clients import Client

SUBJECT_TYPES: Final = ("public", "pairwise")


def name_subject(client: Client, user_id: str) -> str:
    """`sub` in ID tokens and at userinfo: the user's id, or for a pairwise client a name that no other client sees.

    The salt is the client's own, so each client is a sector by itself (§8.1). Access tokens carry the user's id all the
    same: they are for resource servers, and no client has to read them.
    """
    if client.pairwise_salt is None:
        return user_id
    return base64url.encode(hmac.digest(client.pairwise_salt, user_id.encode(), hashlib.sha256))
