"""The blueprint of the JSON API, and what all its answers have in common."""

from apiflask import APIBlueprint
from flask import Response, request

from authserver.web.authorization import challenge_in_kind, offer_nonce
from authserver.web.context import current_realm
from authserver.web.problem import ProblemError, answer_problem

PREFIX = "/api"

api = APIBlueprint("api", __name__, url_prefix=PREFIX, template_folder="templates")


@api.errorhandler(ProblemError)
def _answer_problem(error: ProblemError) -> Response:
    return answer_problem(error.problem)


@api.after_request
def _keep_private(response: Response) -> Response:
    """Forbid caches to store answers, because nearly all carry tokens or account data (ASVS 14.3.2).

    The few others set their own `Cache-Control`.
    """
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@api.after_request
def _speak_dpop(response: Response) -> Response:
    """Offer the next nonce, and challenge by the scheme by which the token was shown (RFC 9449 §7.1, §8.2)."""
    offer_nonce(current_realm(), request, response.headers)
    challenge = response.headers.get("WWW-Authenticate")
    if challenge is not None:
        response.headers["WWW-Authenticate"] = challenge_in_kind(request, challenge)
    return response


def answer_nothing() -> Response:
    """Answer 204: done, with an empty body."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def answer_accepted() -> Response:
    """Answer 202: the result is sent by mail. The answer is the same for every address."""
    return Response("{}", 202, content_type="application/json")
