"""What a use case can come to, besides success. The doors turn these into answers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """No. `code` is stable and for programs, `message` for people; `reason` is for the log alone."""

    code: str
    message: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with one member of the input."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """The input cannot be accepted; all that is wrong with it at once."""

    errors: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True)
class TryLater:
    """Too many at once; nothing was done. Seconds after which to try again."""

    retry_after: int = 1


@dataclass(frozen=True, slots=True)
class Reauthenticate:
    """The session is too old for this act: sign in again first (RFC 9470). `max_age` is what counts as recent."""

    max_age: int


INVALID_CREDENTIALS = "invalid_credentials"
EMAIL_NOT_VERIFIED = "email_not_verified"
REGISTRATION_CLOSED = "registration_closed"
EMAIL_TAKEN = "email_taken"
UNAUTHORIZED_CLIENT = "unauthorized_client"
INVALID_SCOPE = "invalid_scope"
NOT_FOUND = "not_found"
CLIENT_ID_TAKEN = "client_id_taken"
WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a code
INVALID_LINK = "invalid_link"
