"""The key set that an operator registers for a client, checked before it is stored.

A set that is fetched is read leniently (`read_jwks`): what cannot be used is left out. Here somebody can mend what is
wrong, so each entry must be usable, and the fault is named.
"""

from typing import Final

from authserver.jose.algorithms import find_client_algorithm
from authserver.jose.errors import InvalidKeyError, InvalidKeySetError
from authserver.jose.jwk import read_entries, read_jwk

LONGEST_TEXT: Final = 16 * 1024
MOST_KEYS: Final = 10


def find_jwks_fault(text: str) -> str | None:
    """What is wrong with the JWK Set `text` (RFC 7517 §5), as the end of a sentence; None if a client can have it."""
    if len(text) > LONGEST_TEXT or not text.isascii():
        return f"must be at most {LONGEST_TEXT} ASCII characters"
    try:
        entries = read_entries(text.encode())
    except InvalidKeySetError as error:
        return f"is not a JWK Set: {error}"
    if not 0 < len(entries) <= MOST_KEYS:
        return f"must have 1 to {MOST_KEYS} keys"
    for number, entry in enumerate(entries, start=1):
        try:
            read_jwk(entry, find_client_algorithm)
        except InvalidKeyError as error:
            return f"has a key that cannot be used, number {number}: {error}"
    return None
