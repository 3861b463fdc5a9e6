"""Refusals of the JSON API: `application/problem+json` (RFC 9457) with a stable `code`.

Owns the format and its headers. No answer repeats anything of a request or an exception.
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
    """A refusal.

    Attributes:
        status: the HTTP status.
        code: a stable code for programs.
        detail: a sentence for people, without details of the request.
        errors: the errors of each member of the input.
        challenge: `WWW-Authenticate`. If it is None, a 401 has the bare challenge (RFC 9110 §11.6.1).
        soft_logout: on a 401, whether the client may keep its local state.
        retry_after: seconds to wait.
    """

    status: int
    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    challenge: str | None = None
    soft_logout: bool = False
    retry_after: int | None = None


class ProblemError(Exception):
    """Carries a problem out of a function that returns no answer. Only doors raise it, before any transaction."""

    def __init__(self, problem: Problem) -> None:
        """Store `problem`."""
        super().__init__(problem.code)
        self.problem = problem


def answer_problem(problem: Problem) -> Response:
    """Answer with `problem`. Caches must not store it: a cached 401 would outlive the next sign-in."""
    response = Response(json.dumps(describe_problem(problem)), problem.status, content_type=PROBLEM_TYPE)
    response.headers["Cache-Control"] = "no-store"
    if problem.status == HTTPStatus.UNAUTHORIZED or problem.challenge is not None:
        response.headers["WWW-Authenticate"] = problem.challenge or BARE_CHALLENGE
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def answer_http_problem(error: HTTPException) -> Response:
    """Answer with an error of the framework: unknown path, wrong method, large body, or an unexpected failure."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    code = _CODES_BY_STATUS.get(status, status.name.lower())
    return answer_problem(Problem(status, code, f"{status.phrase}."))


def describe_problem(problem: Problem) -> dict[str, Any]:
    """The members of the answer (RFC 9457 §3), and our own: `code`, `errors`, and on a 401 `soft_logout`."""
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
