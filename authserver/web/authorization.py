"""Access tokens at our own doors: where one is looked for, and how one is refused (RFC 6750).

In the `Authorization` header (§2.1) and nowhere else: in a body or a query it would end up in logs (RFC 9700 §4.3.2).
"""

from typing import Final

from werkzeug import Request

BARE_CHALLENGE: Final = "Bearer"
"""For a request that brings no token: §3.1 has no error for it."""


def read_bearer_token(request: Request) -> str | None:
    """The token, or None where there is none. Says nothing about what it is worth."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip(" ")
    return token if scheme.lower() == "bearer" and token else None


def challenge_refused(*, soft_logout: bool) -> str:
    """`WWW-Authenticate` for a token that is not accepted (§3.1), and what its holder may keep (contract §3)."""
    return f'Bearer error="invalid_token", soft_logout="{str(soft_logout).lower()}"'
