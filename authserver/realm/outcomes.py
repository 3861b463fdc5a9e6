"""The outcomes of use cases other than success. The doors turn them into answers."""

from dataclasses import dataclass

from authserver.records.field_error import FieldError


@dataclass(frozen=True, slots=True)
class Refused:
    """The request is refused. `code` is stable and for programs, `message` for people, `reason` only for the log."""

    code: str
    message: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Invalid:
    """The input is invalid. Holds all of its errors."""

    errors: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True)
class TryLater:
    """Too many requests at once; nothing was done. Holds the seconds after which to try again."""

    retry_after: int = 1


@dataclass(frozen=True, slots=True)
class Reauthenticate:
    """The sign-in is too old for this act: sign in again first (RFC 9470). `max_age` is the oldest allowed."""

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
INVALID_DPOP_PROOF = "invalid_dpop_proof"
USE_DPOP_NONCE = "use_dpop_nonce"
