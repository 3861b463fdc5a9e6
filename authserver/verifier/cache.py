"""Tokens whose signature and claims were checked before, so that the second check is a dictionary look-up.

Holds only verified tokens (garbage cannot fill it), keyed by a digest (a dump of the process shows no token here), and
at most `capacity` of them, the oldest out. It says that a token WAS valid: whether it still is, is the caller's to ask.
Without a lock: each step is one atomic operation on the dictionary, and losing an entry costs one signature check.
"""

import hashlib
from collections import OrderedDict

from authserver.jose.access_token import SignedClaims
from authserver.jose.jws import LONGEST_TOKEN

CAPACITY = 10_000


class VerifiedTokens:
    """A bounded memory of verified tokens."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Hold up to `capacity` tokens."""
        self._capacity = capacity
        self._entries: OrderedDict[bytes, SignedClaims] = OrderedDict()

    def find(self, digest: bytes) -> SignedClaims | None:
        """What was verified under `digest`."""
        return self._entries.get(digest)

    def remember(self, digest: bytes, signed: SignedClaims) -> None:
        """Keep `signed` under `digest`."""
        self._entries[digest] = signed
        while len(self._entries) > self._capacity:
            try:
                self._entries.popitem(last=False)
            except KeyError:  # another thread was quicker
                return

    def forget(self, digest: bytes) -> None:
        """Drop what is under `digest`, if anything."""
        self._entries.pop(digest, None)


def digest_token(token: object) -> bytes | None:
    """The key of `token` here; None for what cannot be a token, whatever its type and size."""
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    return hashlib.sha256(token.encode("ascii")).digest()
