"""The answers of a resource server to refused tokens: one row per code of contract §6.

The codes are for programs, the descriptions for clients (RFC 6750 §3), the reasons for the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from authserver.jose.dpop_proof import SIGNING_ALGORITHMS
from authserver.jose.errors import ProofCode, TokenCode
from authserver.protocol.bearer_request import Scheme

RevocationCode = Literal[
    "stale_token_version",
    "session_revoked",
    "token_revoked",
    "client_disabled",
    "key_revoked",
    "issued_before_floor",
    "user_locked",
    "revocations_unavailable",
]
RefusalCode = Literal[
    TokenCode,
    RevocationCode,
    ProofCode,
    "wrong_binding",
    "keys_unavailable",
    "insufficient_scope",
    "insufficient_user_authentication",
]

_UNAUTHORIZED, _FORBIDDEN, _UNAVAILABLE = 401, 403, 503


@dataclass(frozen=True, slots=True)
class _Answer:
    description: str
    status: int = _UNAUTHORIZED
    error: str = "invalid_token"
    soft_logout: bool = False


_FORGED = _Answer("The access token is not valid.")
_REVOKED = _Answer("The access token has been revoked.")
_BUSY = _Answer("The access token cannot be checked at the moment.", _UNAVAILABLE, "temporarily_unavailable")

ANSWERS: Mapping[RefusalCode, _Answer] = {
    "malformed": _FORGED,
    "unsupported_algorithm": _FORGED,
    "unknown_key": _FORGED,
    "bad_signature": _FORGED,
    "wrong_type": _FORGED,
    "wrong_issuer": _FORGED,
    "wrong_audience": _Answer("The access token is for another resource."),
    "expired": _Answer("The access token has expired.", soft_logout=True),
    "not_yet_valid": _Answer("The access token is not valid yet."),
    "missing_claim": _FORGED,
    "invalid_claim": _FORGED,
    "wrong_binding": _Answer(
        "The access token is bound to another key, or shown by the wrong scheme.", soft_logout=True
    ),
    "invalid_dpop_proof": _Answer("The DPoP proof is not valid.", error="invalid_dpop_proof", soft_logout=True),
    "use_dpop_nonce": _Answer(
        "The DPoP proof needs the nonce of the header DPoP-Nonce.", error="use_dpop_nonce", soft_logout=True
    ),
    "stale_token_version": _REVOKED,
    "session_revoked": _REVOKED,
    "token_revoked": _REVOKED,
    "client_disabled": _REVOKED,
    "key_revoked": _REVOKED,
    "issued_before_floor": _REVOKED,
    "user_locked": _Answer("The user is locked.", soft_logout=True),
    "revocations_unavailable": _BUSY,
    "keys_unavailable": _BUSY,
    "insufficient_scope": _Answer("The access token lacks a scope.", _FORBIDDEN, "insufficient_scope"),
    "insufficient_user_authentication": _Answer(
        "A more recent or stronger sign-in is needed.", error="insufficient_user_authentication", soft_logout=True
    ),
}


class InvalidToken(Exception):  # noqa: N818 - the name of contract §6
    """A refused token.

    `code` (contract §6), `status` (401, 403 or 503), `soft_logout` (the client may keep its local state and sign in or
    refresh again; advisory, design §6), `error` and `description` (RFC 6750 §3.1) for the answer, `reason` for the log,
    `scheme` of the challenge, `dpop_nonce` for the header `DPoP-Nonce` (RFC 9449 §9). No part repeats the token.
    """

    def __init__(
        self,
        code: RefusalCode,
        reason: str = "",
        *,
        soft_logout: bool | None = None,
        demands: Mapping[str, str] | None = None,
        scheme: Scheme = "Bearer",
        dpop_nonce: str | None = None,
    ) -> None:
        """Build a refusal. `soft_logout` None uses the default of `code`; `demands` are parameters of the challenge."""
        super().__init__(code, reason)
        answer = ANSWERS[code]
        self.code = code
        self.reason = reason
        self.status = answer.status
        self.error = answer.error
        self.description = answer.description
        self.soft_logout = answer.soft_logout if soft_logout is None else soft_logout
        self.scheme: Scheme = scheme
        self.dpop_nonce = dpop_nonce
        self._demands = dict(demands or {})

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}" if self.reason else self.code

    @property
    def www_authenticate(self) -> str | None:
        """The challenge (RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3); None if another token would not help (503)."""
        if self.status == _UNAVAILABLE:
            return None
        parameters = {"error": self.error, **self._demands}
        if self.soft_logout:
            parameters["soft_logout"] = "true"
        if self.scheme == "DPoP":
            parameters["algs"] = " ".join(SIGNING_ALGORITHMS)
        return f"{self.scheme} " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())
