"""All refusals of the JSON API: code, status, sentence. Both the answers and the OpenAPI document use them."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final

from authserver.protocol.bearer_request import SEVERAL_CHALLENGE, SEVERAL_TOKENS
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import outcomes
from authserver.realm.outcomes import Invalid, Reauthenticate, Refused, TryLater
from authserver.records.field_error import FieldError
from authserver.records.presence import BearerRefused
from authserver.web.authorization import BARE_CHALLENGE, challenge_refused, write_challenge
from authserver.web.limits.tries import TooManyTries
from authserver.web.problem import PROBLEM_TYPE, Problem, describe_problem

_STALE_CHALLENGE: Final = 'Bearer error="insufficient_user_authentication", max_age="{}", soft_logout="true"'


@dataclass(frozen=True, slots=True)
class Refusal:
    """A kind of refusal. `detail` is the sentence for people, if the use case gives none."""

    code: str
    status: HTTPStatus
    detail: str
    soft_logout: bool = False


INVALID_JSON = Refusal(
    "invalid_json",
    HTTPStatus.BAD_REQUEST,
    "The body is not valid JSON. It must be UTF-8, without duplicate members, NaN, very large numbers or deep nesting.",
)
SEVERAL = Refusal("invalid_request", HTTPStatus.BAD_REQUEST, SEVERAL_TOKENS)
INVALID_SCOPE = Refusal(outcomes.INVALID_SCOPE, HTTPStatus.BAD_REQUEST, "The client may not ask for this scope.")
INVALID_LINK = Refusal(
    outcomes.INVALID_LINK,
    HTTPStatus.BAD_REQUEST,
    "This link no longer works. Please ask for a new one.",
)
INVALID_DPOP_PROOF = Refusal(
    outcomes.INVALID_DPOP_PROOF, HTTPStatus.BAD_REQUEST, "The DPoP proof is not valid, or was used before."
)
USE_DPOP_NONCE = Refusal(
    outcomes.USE_DPOP_NONCE, HTTPStatus.BAD_REQUEST, "The DPoP proof needs the nonce of the header DPoP-Nonce."
)
INVALID_CREDENTIALS = Refusal(
    outcomes.INVALID_CREDENTIALS, HTTPStatus.UNAUTHORIZED, "The e-mail address or the password is wrong."
)
MISSING_TOKEN = Refusal(
    "missing_token", HTTPStatus.UNAUTHORIZED, "This call needs an access token in the Authorization header."
)
_INVALID_TOKEN = "The access token is not valid."  # noqa: S105 - a sentence
MISSING_COOKIE = Refusal(
    "missing_cookie",
    HTTPStatus.UNAUTHORIZED,
    "This browser has no refresh token for this client.",
    soft_logout=True,
)
INVALID_GRANT = Refusal("invalid_grant", HTTPStatus.UNAUTHORIZED, "The refresh token is not valid.")
SESSION_REVOKED = Refusal("session_revoked", HTTPStatus.UNAUTHORIZED, _INVALID_TOKEN)
REAUTHENTICATE = Refusal(
    "insufficient_user_authentication",
    HTTPStatus.UNAUTHORIZED,
    "This needs a more recent sign-in. Please sign in again.",
    soft_logout=True,
)
WRONG_PASSWORD = Refusal(outcomes.WRONG_PASSWORD, HTTPStatus.FORBIDDEN, "The current password is wrong.")
UNAUTHORIZED_CLIENT = Refusal(
    outcomes.UNAUTHORIZED_CLIENT, HTTPStatus.FORBIDDEN, "This client may not sign people in with a password."
)
NO_COOKIES_FOR_CLIENT = Refusal(
    outcomes.UNAUTHORIZED_CLIENT, HTTPStatus.FORBIDDEN, "Only a public first-party client can refresh by cookie."
)
FOREIGN_ORIGIN = Refusal(
    "foreign_origin", HTTPStatus.FORBIDDEN, "This page may not use the cookie: its origin is not one of the client's."
)
CROSS_SITE = Refusal(
    "cross_site",
    HTTPStatus.FORBIDDEN,
    "The browser would drop the cookie, because this page is on another site than this server. Serve both from one"
    " site (http://localhost and http://127.0.0.1 are two), or take the refresh token in the body.",
)
EMAIL_NOT_VERIFIED = Refusal(
    outcomes.EMAIL_NOT_VERIFIED, HTTPStatus.FORBIDDEN, "Please confirm your e-mail address first."
)
REGISTRATION_CLOSED = Refusal(outcomes.REGISTRATION_CLOSED, HTTPStatus.FORBIDDEN, "Registration is closed.")
NOT_FOUND = Refusal(outcomes.NOT_FOUND, HTTPStatus.NOT_FOUND, "There is no such session.")
EMAIL_TAKEN = Refusal(outcomes.EMAIL_TAKEN, HTTPStatus.CONFLICT, "This e-mail address is already registered.")
UNSUPPORTED_MEDIA_TYPE = Refusal(
    "unsupported_media_type", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json."
)
INVALID_INPUT = Refusal("invalid_input", HTTPStatus.UNPROCESSABLE_ENTITY, "The input is not valid.")
TOO_MANY_REQUESTS = Refusal("too_many_requests", HTTPStatus.TOO_MANY_REQUESTS, "Too many attempts. Please wait.")
INTERNAL_ERROR = Refusal("internal_error", HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error.")
BUSY = Refusal("busy", HTTPStatus.SERVICE_UNAVAILABLE, "Too many requests at once. Please try again.")
UNAVAILABLE = Refusal("unavailable", HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable.")

OF_USE_CASES: Final = {
    refusal.code: refusal.status
    for refusal in (
        INVALID_SCOPE,
        INVALID_LINK,
        INVALID_DPOP_PROOF,
        USE_DPOP_NONCE,
        INVALID_CREDENTIALS,
        WRONG_PASSWORD,
        UNAUTHORIZED_CLIENT,
        EMAIL_NOT_VERIFIED,
        REGISTRATION_CLOSED,
        NOT_FOUND,
        EMAIL_TAKEN,
    )
}
OF_PROOFS: Final = (INVALID_DPOP_PROOF, USE_DPOP_NONCE)
OF_BODIES: Final = (INVALID_JSON, UNSUPPORTED_MEDIA_TYPE, INVALID_INPUT)
OF_BEARERS: Final = (
    SEVERAL,
    MISSING_TOKEN,
    SESSION_REVOKED,
    # The most common codes of the verifier; the others (contract §6) look alike.
    *(Refusal(code, HTTPStatus.UNAUTHORIZED, _INVALID_TOKEN) for code in ("malformed", "client_disabled")),
    *(
        Refusal(code, HTTPStatus.UNAUTHORIZED, _INVALID_TOKEN, soft_logout=True)
        for code in ("expired", "stale_token_version", "user_locked", "wrong_binding", *(one.code for one in OF_PROOFS))
    ),
)
OF_SENSITIVE: Final = (*OF_BEARERS, REAUTHENTICATE)
OF_PASSWORDS: Final = (*OF_SENSITIVE, WRONG_PASSWORD, TOO_MANY_REQUESTS, BUSY)
OF_LINKS: Final = (INVALID_LINK, BUSY)
_OF_REFRESHES: Final = {one.code: one for one in (INVALID_SCOPE, *OF_PROOFS)}
OF_ALL: Final = (INTERNAL_ERROR, UNAVAILABLE)


def refuse(refusal: Refusal, *, errors: tuple[FieldError, ...] = (), retry_after: int | None = None) -> Problem:
    """Make the problem for `refusal`. `errors` name wrong members; `retry_after` is in seconds."""
    return Problem(
        refusal.status,
        refusal.code,
        refusal.detail,
        errors=errors,
        soft_logout=refusal.soft_logout,
        retry_after=retry_after,
    )


def explain(outcome: Refused | Invalid | TryLater | TooManyTries | Reauthenticate) -> Problem:
    """Make the problem for the refusal of a use case."""
    match outcome:
        case Refused():
            return Problem(OF_USE_CASES[outcome.code], outcome.code, outcome.message)
        case Invalid():
            return refuse(INVALID_INPUT, errors=outcome.errors)
        case TryLater():
            return refuse(BUSY, retry_after=outcome.retry_after)
        case TooManyTries():
            return refuse(TOO_MANY_REQUESTS, retry_after=outcome.retry_after)
        case Reauthenticate():
            return replace(refuse(REAUTHENTICATE), challenge=_STALE_CHALLENGE.format(outcome.max_age))


def explain_own(outcome: Refused | Invalid | TryLater | TooManyTries | Reauthenticate) -> Problem:
    """Make the problem for the refusal of a use case about the calling user.

    If that user was deleted a moment ago, `not_found` becomes `session_revoked`, because the session is gone, too.
    """
    if isinstance(outcome, Refused) and outcome.code == NOT_FOUND.code:
        return explain_bearer(BearerRefused(SESSION_REVOKED.code, soft_logout=False))
    return explain(outcome)


def explain_bearer(refused: BearerRefused) -> Problem:
    """Make the problem for an access token that is not accepted (RFC 6750 §3.1)."""
    detail = next((proof.detail for proof in OF_PROOFS if proof.code == refused.code), _INVALID_TOKEN)
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        refused.code,
        refused.detail or detail,
        challenge=challenge_refused(refused),
        soft_logout=refused.soft_logout,
    )


def explain_several() -> Problem:
    """Make the problem for a request with more than one access token (RFC 6750 §3.1)."""
    return replace(refuse(SEVERAL), challenge=SEVERAL_CHALLENGE)


def explain_refresh(error: OAuthError) -> Problem:
    """Convert an error of the token endpoint (RFC 6749 §5.2) into a problem."""
    if error.retry_after is not None:
        return refuse(UNAVAILABLE, retry_after=error.retry_after)
    if error.error == INVALID_GRANT.code:
        soft_logout = bool(error.soft_logout)
        challenge = write_challenge("Bearer", error="invalid_token", soft_logout=str(soft_logout).lower())
        return replace(refuse(INVALID_GRANT), soft_logout=soft_logout, challenge=challenge)
    return refuse(_OF_REFRESHES.get(error.error, NO_COOKIES_FOR_CLIENT))


ACCEPTED: Final = {
    "description": "The result is sent by mail. The response is the same for every address.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AcceptedAnswer"}}},
}
"""The OpenAPI response of an operation that does not reveal whether an address is known."""


def document(*refusals: Refusal) -> dict[int | str, Any]:
    """Describe, for OpenAPI, the responses of an operation that can answer with these refusals, or with `OF_ALL`."""
    responses: dict[int | str, Any] = {}
    for refusal in sorted((*refusals, *OF_ALL), key=lambda refusal: refusal.status):
        response = responses.setdefault(int(refusal.status), _describe(refusal.status))
        response["content"][PROBLEM_TYPE]["examples"][refusal.code] = {"value": _exemplify(refusal)}
    return responses


def _describe(status: HTTPStatus) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": status.phrase,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
    }
    if status is HTTPStatus.UNAUTHORIZED:
        response["headers"] = _document_header(
            "WWW-Authenticate", "The authentication challenge, with `soft_logout`.", BARE_CHALLENGE
        )
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        response["headers"] = _document_header("Retry-After", "Seconds to wait.", "30")
    return response


def _document_header(name: str, description: str, example: str) -> dict[str, Any]:
    return {name: {"description": description, "schema": {"type": "string"}, "example": example}}


def _exemplify(refusal: Refusal) -> dict[str, Any]:
    errors = (FieldError("email", "missing", "This member is required."),) if refusal is INVALID_INPUT else ()
    return describe_problem(refuse(refusal, errors=errors))
