"""A stored authorization code, and its use."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CodeUse:
    """The exchange of a code, and the family that it produced (by the `fam` that tokens carry)."""

    at: datetime
    fam: str


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """An authorization code with everything that was authorized.

    Attributes:
        request_id: names the request that it answers.
        code_challenge: None if the client was let to send none (`PkceRule`).
        id_token_claims: the claims that the request asked for in the ID token.
        dpop_jkt: the thumbprint of the key that the exchange has to prove (RFC 9449 §10), where the client named one.
    """

    code_digest: bytes
    request_id: str
    user_id: str
    sid: str
    client_id: str
    client_family_version: int
    redirect_uri: str
    code_challenge: str | None
    scope: str
    audience: tuple[str, ...]
    nonce: str | None
    auth_time: datetime
    amr: tuple[str, ...]
    acr: str
    created_at: datetime
    expires_at: datetime
    id_token_claims: frozenset[str] = frozenset()
    use: CodeUse | None = None
    dpop_jkt: str | None = None
