"""An authorization code as kept, and its use."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CodeUse:
    """That a code was exchanged, and for which family (by the name that tokens carry)."""

    at: datetime
    fam: str


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What one code stands for, as it was authorized. `request_id` names the request that it answers."""

    code_digest: bytes
    request_id: str
    user_id: str
    sid: str
    client_id: str
    client_family_version: int
    redirect_uri: str
    code_challenge: str
    scope: str
    audience: tuple[str, ...]
    nonce: str | None
    auth_time: datetime
    amr: tuple[str, ...]
    acr: str
    created_at: datetime
    expires_at: datetime
    use: CodeUse | None = None
