"""How the JSON API says no: `application/problem+json` (RFC 9457) with a stable `code`.

Owns the shape and the headers that belong to it. Nothing of a request or of an exception is repeated in an answer.
"""

import json
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from flask import Response
from werkzeug.exceptions import HTTPException

from authserver.records.field_error import FieldError
from authserver.web.authorization import BARE_CHALLENGE

PROBLEM_TYPE = "application/problem+json"
_CODES_BY_STATUS = {
    400: "bad_request",
    413: "content_too_large",
    500: "internal_error",
    503: "unavailable",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal.

    Attributes:
        status: the HTTP status.
        code: stable, for programs.
        detail: a bland sentence for people.
        errors: what is wrong with each member of the input.
        challenge: `WWW-Authenticate`; where it is None, a 401 has the bare one (RFC 9110 §11.6.1).
        soft_logout: on a 401, whether the client may keep its local state.
        retry_after: seconds.
    """

    status: int
    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    challenge: str | None = None
    soft_logout: bool = False
    retry_after: int | None = None


class ProblemError(Exception):
    """Carries a problem out of what has no answer to return. Raised at the door only, before any transaction."""

    def __init__(self, problem: Problem) -> None:
        """Carry `problem`."""
        super().__init__(problem.code)
        self.problem = problem


def answer_problem(problem: Problem) -> Response:
    """The answer. Nobody may keep it: a cached 401 would outlive the sign-in that follows."""
    response = Response(json.dumps(describe_problem(problem)), problem.status, content_type=PROBLEM_TYPE)
    response.headers["Cache-Control"] = "no-store"
    if problem.status == HTTPStatus.UNAUTHORIZED or problem.challenge is not None:
        response.headers["WWW-Authenticate"] = problem.challenge or BARE_CHALLENGE
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def answer_http_problem(error: HTTPException) -> Response:
    """A refusal by the framework itself: unknown path, wrong method, body too large, something unexpected."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    code = _CODES_BY_STATUS.get(status, status.name.lower())
    return answer_problem(Problem(status, code, f"{status.phrase}."))


def describe_problem(problem: Problem) -> dict[str, Any]:
    """The members of the answer."""
    members: dict[str, Any] = {
        "type": f"urn:authserver:problem:{problem.code}",
        "title": problem.code.replace("_", " ").capitalize(),
        "status": int(problem.status),
        "detail": problem.detail,
        "code": problem.code,
    }
    if problem.errors:
        members["errors"] = [asdict(error) for error in problem.errors]
    if problem.status == HTTPStatus.UNAUTHORIZED:
        members["soft_logout"] = problem.soft_logout
    return members
