"""Access tokens in requests to our own endpoints, and the challenges that refuse them (RFC 6750).

A token is read only from the `Authorization` header (§2.1). A second token anywhere refuses the request
(`bearer_request`).
"""

from typing import Final

from werkzeug import Request

from authserver.protocol.bearer_request import FORM_TYPE, SeveralTokens, read_token

BARE_CHALLENGE: Final = "Bearer"
"""The challenge for a request without a token, which has no error code (RFC 6750 §3.1)."""


def read_bearer_token(request: Request) -> str | SeveralTokens | None:
    """Read the access token; None if there is none. It is not verified here.

    The body of a form is cached for later readers. The guard has already limited its length.
    """
    query = request.query_string.decode("latin-1")
    form = request.get_data(cache=True).decode("latin-1") if request.mimetype == FORM_TYPE else ""
    return read_token(request.headers.getlist("Authorization"), query, form) or None


def challenge_refused(*, soft_logout: bool) -> str:
    """Make `WWW-Authenticate` for a token that is not accepted (RFC 6750 §3.1).

    `soft_logout` tells the client whether it may keep its local state (contract §3).
    """
    return f'Bearer error="invalid_token", soft_logout="{str(soft_logout).lower()}"'
