"""Proof Key for Code Exchange (RFC 7636), S256 only.

A client that can use S256 has no use for `plain` (OAuth 2.1 §7.5.2).
"""

import hashlib
import hmac
import re
from typing import Final

from authserver.protocol import base64url

CODE_CHALLENGE_METHODS: Final = ("S256",)

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # §4.2: the base64url of a SHA-256
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")  # §4.1


def is_code_challenge(text: str) -> bool:
    """Whether `text` can be the S256 challenge of some verifier (RFC 7636 §4.2)."""
    return _CHALLENGE.match(text) is not None


def proves(code_verifier: str, code_challenge: str) -> bool:
    """Whether the verifier is well formed (RFC 7636 §4.1) and the challenge was made from it (§4.6)."""
    if _VERIFIER.match(code_verifier) is None:
        return False
    made = base64url.encode(hashlib.sha256(code_verifier.encode("ascii")).digest())
    return hmac.compare_digest(made, code_challenge)
