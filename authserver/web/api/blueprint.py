"""The blueprint that every view of the JSON API hangs on, and what all its answers have in common."""

from apiflask import APIBlueprint
from flask import Response

from authserver.web.problem import ProblemError, answer_problem

PREFIX = "/api"

api = APIBlueprint("api", __name__, url_prefix=PREFIX, template_folder="templates")


@api.errorhandler(ProblemError)
def _answer_problem(error: ProblemError) -> Response:
    return answer_problem(error.problem)


@api.after_request
def _keep_private(response: Response) -> Response:
    """Nearly every answer carries tokens or account data (ASVS 14.3.2); the few others say so themselves."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def answer_nothing() -> Response:
    """204: done, and there is nothing to tell."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def answer_accepted() -> Response:
    """202: whatever comes of it, comes by mail. The same for every address."""
    return Response("{}", 202, content_type="application/json")
