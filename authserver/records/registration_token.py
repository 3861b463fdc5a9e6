"""The token with which a client registers itself (RFC 7591 §1.2: initial access token)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RegistrationToken:
    """An initial access token. Its text is known to nobody but its holder.

    Attributes:
        token_id: names it for operators and in the audit record; no secret.
        scope: the scopes that its clients may have.
        audience: the resources that its clients may ask tokens for.
        uses_left: how many more clients it registers.
        expires_at: the end, exclusive.
    """

    token_id: str
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    uses_left: int
    created_at: datetime
    expires_at: datetime
