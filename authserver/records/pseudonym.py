"""The names by which a client knows a user, a session and a device (OpenID Connect Core §8).

A pairwise client has a salt of its own, so each is a separate sector (§8.1): nobody can tell from two of these names
that they mean one user. Everything that the client receives uses them: ID tokens, userinfo, token answers, and the
access tokens that it holds. A token names its family by `fam`, which no other client sees either; with it the server
finds the user again.
"""

import hashlib
import hmac
from typing import Final

from authserver.protocol import base64url
from authserver.records.client import Client

SUBJECT_TYPES: Final = ("public", "pairwise")
_SESSION: Final = "sid\0"


def subject_identifier(client: Client, user_id: str) -> str:
    """The `sub` that `client` sees: the user's id, or for a pairwise client a name that no other client sees."""
    return user_id if client.pairwise_salt is None else pairwise_subject(client.pairwise_salt, user_id)


def session_identifier(client: Client, sid: str) -> str:
    """The `sid` that `client` sees: the id itself, or for a pairwise client a name that no other client sees."""
    return sid if client.pairwise_salt is None else pairwise_session(client.pairwise_salt, sid)


def pairwise_subject(salt: bytes, user_id: str) -> str:
    """The `sub` of the user for the client with this salt."""
    return base64url.encode(hmac.digest(salt, user_id.encode(), hashlib.sha256))


def pairwise_session(salt: bytes, sid: str) -> str:
    """The `sid` of the session for the client with this salt."""
    return base64url.encode(hmac.digest(salt, (_SESSION + sid).encode(), hashlib.sha256))


def device_identifier(client: Client, device_id: str) -> str:
    """The `device_id` in token answers: the id itself for a first-party client, otherwise a pseudonym for the client.

    The id itself protects its owner from being locked out by a flood of wrong passwords
    (`authentication.known_device`), so no other client gets it. The server does not accept the pseudonym.
    """
    if client.first_party:
        return device_id
    return base64url.encode(hmac.digest(device_id.encode(), client.client_id.encode(), hashlib.sha256)[:16])
