"""The only exceptions that leave this room, for any input.

JoseError
 ├── InvalidJsonError    not the one JSON text that `strict_json` accepts
 ├── InvalidKeyError     a key that must not verify anything: wrong type, curve, size, use, or a private part
 ├── InvalidKeySetError  a JWK Set that cannot be read without guessing
 ├── TokenRejected       a token that proves nothing; has a stable `code` (contract §6)
 └── ProofRejected       a DPoP proof that proves nothing; has the error code of RFC 9449 §12.2
"""

from typing import Literal

TokenCode = Literal[
    "malformed",
    "unsupported_algorithm",
    "unknown_key",
    "bad_signature",
    "wrong_type",
    "wrong_issuer",
    "wrong_audience",
    "expired",
    "not_yet_valid",
    "missing_claim",
    "invalid_claim",
]
ProofCode = Literal["invalid_dpop_proof", "use_dpop_nonce"]


class JoseError(Exception):
    """Root of all errors of this room."""


class InvalidJsonError(JoseError):
    """Not strict JSON: duplicate members, NaN, wrong encoding, too deep, too large a number."""


class InvalidKeyError(JoseError):
    """A key that is refused. The message is for logs and never holds key material."""


class InvalidKeySetError(JoseError):
    """A JWK Set that is refused as a whole."""


class TokenRejected(JoseError):  # noqa: N818 - an outcome told to the other side, like InvalidToken
    """A token that is refused: `code` for programs, `reason` for the log. Neither repeats the token."""

    def __init__(self, code: TokenCode, reason: str) -> None:
        """Keep both parts."""
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"


class ProofRejected(JoseError):  # noqa: N818 - an outcome told to the other side, like InvalidToken
    """A DPoP proof that is refused: `code` for programs, `reason` for the log. Neither repeats the proof."""

    def __init__(self, reason: str, code: ProofCode = "invalid_dpop_proof") -> None:
        """Keep both parts."""
        super().__init__(code, reason)
        self.code: ProofCode = code
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"
