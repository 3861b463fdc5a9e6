"""Checks the assertion of a client (`private_key_jwt`, RFC 7523): its signature, then that it was not used before.

An assertion works once in the whole installation: its use is a row that only one request on any node can insert.
"""

import hashlib
from datetime import UTC, datetime
from functools import partial

from authserver.jose.client_assertion import ClientAssertion, UnprovenAssertion, check_client_assertion
from authserver.jose.errors import TokenRejected
from authserver.protocol.client_metadata import TOKEN_PATH
from authserver.protocol.oauth_error import OAuthError, invalid_client, unavailable
from authserver.realm import Realm
from authserver.realm.client_keys import ClientKeysUnavailableError
from authserver.records.client import Client
from authserver.storage import used_assertions


def check_assertion(realm: Realm, client: Client, assertion: UnprovenAssertion, path: str) -> OAuthError | None:
    """Why `assertion` does not authenticate `client` at the endpoint `path`; None when it does, and is used up.

    It may name the issuer, this endpoint, or the token endpoint at any other one (RFC 9126 §2 asks for all three).
    """
    audiences = frozenset({realm.issuer, realm.issuer + path, realm.issuer + TOKEN_PATH})
    find_key = partial(realm.client_keys.find, client)
    try:
        proven = check_client_assertion(assertion, find_key=find_key, audiences=audiences, now=realm.clock.seconds())
    except TokenRejected as rejected:
        return invalid_client(f"client assertion: {rejected}")
    except ClientKeysUnavailableError as error:
        return unavailable(f"client assertion: {error}")
    with realm.database.write() as tx:
        is_first = used_assertions.use(tx, _digest(proven), datetime.fromtimestamp(proven.expires_at, UTC))
    return None if is_first else invalid_client("client assertion: jti was used before")


def _digest(assertion: ClientAssertion) -> bytes:
    """What names the assertion: `jti` is unique per client only (RFC 7523 §3), and no `client_id` holds a NUL."""
    return hashlib.sha256(f"{assertion.client_id}\0{assertion.jti}".encode()).digest()
