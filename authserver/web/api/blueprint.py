"""The blueprint that every view of the JSON API hangs on, and what all its answers have in common."""

from apiflask import APIBlueprint
from flask import Response, current_app

from authserver.web.limits import Limits
from authserver.web.problem import ProblemError, answer_problem

PREFIX = "/api"
LIMITS_EXTENSION = "authserver.limits"

api = APIBlueprint("api", __name__, url_prefix=PREFIX, template_folder="templates")


@api.errorhandler(ProblemError)
def _answer_problem(error: ProblemError) -> Response:
    return answer_problem(error.problem)


@api.after_request
def _keep_private(response: Response) -> Response:
    """Nearly every answer carries tokens or account data (ASVS 14.3.2); the few others say so themselves."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def current_limits() -> Limits:
    """The limits of the application that handles this request."""
    limits: Limits = current_app.extensions[LIMITS_EXTENSION]
    return limits


def answer_nothing() -> Response:
    """204: done, and there is nothing to tell."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def answer_accepted() -> Response:
    """202: whatever comes of it, comes by mail. The same for every address."""
    return Response(status=202, content_type="application/json", response="{}")
