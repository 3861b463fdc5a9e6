"""A pushed authorization request as stored (RFC 9126)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """An authorization request that waits for a browser, or that one has opened.

    Attributes:
        digest: of its `request_uri`.
        text: its parameters, as the query of an authorization request.
        request_id: names the interaction that opened it; None until a browser comes.
    """

    digest: bytes
    client_id: str
    text: str
    created_at: datetime
    expires_at: datetime
    request_id: str | None = None
