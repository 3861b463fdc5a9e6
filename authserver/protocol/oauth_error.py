"""The answer of an OAuth endpoint that refuses (RFC 6749 §5.2). It is a value, returned and never raised.

An expected refusal must not undo the transaction that it explains: "reuse detected" commits the revocation.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OAuthError:
    """One refusal.

    Attributes:
        error: the error code of the RFC.
        description: a bland sentence for the other side, in the characters that RFC 6749 §5.2 admits.
        reason: the precise reason, for the log only.
        soft_logout: on `invalid_grant` from a refresh, whether the client may keep its local state.
        retry_after: seconds after which the same request may succeed; the answer is then a 503.
    """

    error: str
    description: str
    reason: str
    soft_logout: bool | None = None
    retry_after: int | None = None

    @property
    def status(self) -> int:
        """The HTTP status that the RFCs assign to this code."""
        if self.retry_after is not None:
            return 503
        return 401 if self.error == "invalid_client" else 400


def invalid_request(description: str, reason: str = "") -> OAuthError:
    """A parameter is missing, repeated or malformed."""
    return OAuthError("invalid_request", description, reason or description)


def invalid_client(reason: str) -> OAuthError:
    """Client authentication failed; only the log says why."""
    return OAuthError("invalid_client", "Client authentication failed.", reason)


def invalid_grant(reason: str, *, soft_logout: bool) -> OAuthError:
    """The refresh token is refused; only the log says why."""
    return OAuthError("invalid_grant", "The refresh token is not valid.", reason, soft_logout=soft_logout)


def unavailable(reason: str, retry_after: int = 1) -> OAuthError:
    """The server cannot answer now. Nothing was changed, and the same request may be repeated."""
    return OAuthError("temporarily_unavailable", "Please try again.", reason, retry_after=retry_after)
