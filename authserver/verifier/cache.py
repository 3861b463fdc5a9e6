"""A cache of verified tokens, so that a second check is a dictionary look-up.

It holds only verified tokens (garbage cannot fill it), keyed by a digest (a dump of the process shows no token here),
and at most `capacity` of them; the oldest is removed first. An entry says that the token WAS valid. NOT checked:
whether it still is; the caller must do so. There is no lock: each step is one atomic operation on a dictionary, and
losing an entry costs one signature check.

Entries are small: values that many tokens share are stored once, and the signing key of a token is looked up by the
token's header, which the signature covers.
"""

import hashlib
from collections.abc import Hashable
from dataclasses import replace
from typing import TypeVar, cast

from authserver.jose.access_token import SignedClaims
from authserver.jose.jws import LONGEST_TOKEN
from authserver.protocol.claims import AccessTokenClaims, ClientToken

CAPACITY = 10_000
_MOST_HEADERS = 64
_MOST_SHARED = 1024
_DIGEST_SIZE = 16  # 128 bits: finding a second token with the digest of a given one is infeasible

_Value = TypeVar("_Value", bound=Hashable)


class VerifiedTokens:
    """A bounded cache of verified tokens."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Hold up to `capacity` tokens."""
        self._capacity = capacity
        self._claims: dict[bytes, AccessTokenClaims] = {}
        self._kids: dict[str, str] = {}
        self._shared: dict[object, object] = {}

    def find(self, token: str, digest: bytes) -> tuple[AccessTokenClaims, str] | None:
        """The verified claims of `token` and the id of the key that signed it, or None."""
        claims = self._claims.get(digest)
        if claims is None:
            return None
        kid = self._kids.get(token[: token.index(".")])
        return None if kid is None else (claims, kid)

    def remember(self, token: str, digest: bytes, signed: SignedClaims) -> None:
        """Store `signed`, the content of `token`, under its digest."""
        self._bound()
        self._kids[token[: token.index(".")]] = signed.kid
        self._claims[digest] = self._slim(signed.claims)

    def forget(self, digest: bytes) -> None:
        """Remove the entry of `digest`, if any."""
        self._claims.pop(digest, None)

    def _bound(self) -> None:
        if len(self._kids) >= _MOST_HEADERS:
            self._kids = {}
        if len(self._shared) >= _MOST_SHARED:
            self._shared = {}
        while len(self._claims) >= self._capacity:
            try:
                self.forget(next(iter(self._claims)))
            except (StopIteration, RuntimeError):  # another thread was faster
                return

    def _slim(self, claims: AccessTokenClaims) -> AccessTokenClaims:
        slim = replace(
            claims,
            aud=self._share(claims.aud),
            exp=self._share(claims.exp),
            iat=self._share(claims.iat),
            client_id=self._share(claims.client_id),
            scope=self._share(claims.scope),
        )
        if isinstance(slim, ClientToken):
            return slim
        return replace(slim, amr=self._share(slim.amr), acr=self._share(slim.acr), roles=self._share(slim.roles))

    def _share(self, value: _Value) -> _Value:
        return cast("_Value", self._shared.setdefault(value, value))


def digest_token(token: object) -> bytes | None:
    """The cache key of `token`; None for any object that cannot be a token, of any type and size."""
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    return hashlib.blake2b(token.encode("ascii"), digest_size=_DIGEST_SIZE).digest()  # twice as fast as SHA-256
