"""The verifier for Flask: a decorator that lets only requests with a good access token through.

    auth = FlaskVerifier(Verifier(issuer="https://auth.example", audience="https://api.example"))

    @app.get("/notes")
    @auth.require_token(scope="read")
    def notes():
        return {"owner": g.token.sub}

The token comes from the `Authorization` header only (RFC 6750 §2.1), never from a query string or a form. The view
finds the claims in `flask.g.token`. NOT checked: whose data a route returns; that is the view's business.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Response, g, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from authserver.verifier import InvalidToken, Verifier
from authserver.verifier.demands import Demand
from authserver.verifier.jwks import COOL_DOWN

_P = ParamSpec("_P")
_View = Callable[_P, ResponseReturnValue]


class FlaskVerifier:
    """Guards views with `verifier`."""

    def __init__(self, verifier: Verifier) -> None:
        """Use `verifier` for every guarded view."""
        self._verifier = verifier

    def require_token(
        self, *, scope: str | None = None, max_age: int | None = None, acr: str | None = None
    ) -> Callable[[_View[_P]], _View[_P]]:
        """Let a request through to the view below if its token is good and meets the demand (`demands.Demand`).

        Place it below the route. Refusals are answered as RFC 6750 §3 says, with `soft_logout` in the JSON body.
        """
        demand = Demand(scope, max_age, acr)

        def guard(view: _View[_P]) -> _View[_P]:
            @wraps(view)
            def guarded(*args: _P.args, **kwargs: _P.kwargs) -> ResponseReturnValue:
                token = _find_token(request.headers.getlist("Authorization"))
                if token is None:
                    return _challenge()
                try:
                    claims = self._verifier.verify(token)
                    self._verifier.check(demand, claims)
                except InvalidToken as refusal:
                    return _refuse(refusal)
                g.token = claims
                return view(*args, **kwargs)

            return guarded

        return guard


def _find_token(headers: list[str]) -> str | None:
    """The credentials of the Bearer scheme (RFC 9110 §11.4), unread; None if there are none."""
    scheme, _, token = ", ".join(headers).partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else None


def _challenge() -> Response:
    """No credentials: no error code either (RFC 6750 §3.1)."""
    return _answer({}, 401, "Bearer")


def _refuse(refusal: InvalidToken) -> Response:
    body = {"error": refusal.error, "error_description": refusal.description, "soft_logout": refusal.soft_logout}
    response = _answer(body, refusal.status, refusal.www_authenticate)
    if refusal.www_authenticate is None:
        response.headers["Retry-After"] = f"{COOL_DOWN:.0f}"
    return response


def _answer(body: dict[str, object], status: int, challenge: str | None) -> Response:
    response = make_response(jsonify(body), status)
    response.headers["Cache-Control"] = "no-store"
    if challenge is not None:
        response.headers["WWW-Authenticate"] = challenge
    return response
