"""Access tokens at our own doors: where one is looked for, and how one is refused (RFC 6750).

In the `Authorization` header (§2.1) and nowhere else; a second one anywhere refuses the request (`bearer_request`).
"""

from typing import Final

from werkzeug import Request

from authserver.protocol.bearer_request import FORM_TYPE, SeveralTokens, read_token

BARE_CHALLENGE: Final = "Bearer"
"""For a request that brings no token: §3.1 has no error for it."""


def read_bearer_token(request: Request) -> str | SeveralTokens | None:
    """The token, or None where there is none. Says nothing about what it is worth.

    A form is kept for those who read the body afterwards; the guard has measured it.
    """
    query = request.query_string.decode("latin-1")
    form = request.get_data(cache=True).decode("latin-1") if request.mimetype == FORM_TYPE else ""
    return read_token(request.headers.getlist("Authorization"), query, form) or None


def challenge_refused(*, soft_logout: bool) -> str:
    """`WWW-Authenticate` for a token that is not accepted (§3.1), and what its holder may keep (contract §3)."""
    return f'Bearer error="invalid_token", soft_logout="{str(soft_logout).lower()}"'
