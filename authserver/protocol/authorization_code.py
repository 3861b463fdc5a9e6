"""The authorization code: 256 random bits, of which the database keeps only the digest (RFC 6749 §10.10)."""

import hashlib
from datetime import timedelta
from typing import Final

from authserver.protocol import base64url
from authserver.protocol.entropy import Entropy

CODE_LIFETIME: Final = timedelta(seconds=60)
_CODE_BYTES: Final = 32


def new_code(entropy: Entropy) -> str:
    """Make a code that nobody can guess."""
    return base64url.encode(entropy(_CODE_BYTES))


def digest_code(code: str) -> bytes:
    """The digest under which the database keeps `code`; accepts any text."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
