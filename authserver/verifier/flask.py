"""The verifier for Flask: a decorator that lets only requests with a valid access token through.

    auth = FlaskVerifier(Verifier(issuer="https://auth.example", audience="https://api.example", ...), app)

    @app.get("/notes")
    @auth.require_token(scope="read")
    def notes():
        return {"owner": g.token.sub}

The token comes from the `Authorization` header only (RFC 6750 §2.1), never from a query string or a form; a second
token there gives status 400. A token that is bound to a key comes with a proof in the `DPoP` header (RFC 9449). The
view finds the claims in `flask.g.token`. NOT checked: whose data a route returns; the view must do that.
"""

from collections.abc import Callable
from functools import wraps
from io import BytesIO
from typing import ParamSpec
from urllib.parse import urlencode

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue

from authserver.protocol.bearer_request import read_token
from authserver.verifier import Verifier
from authserver.verifier.bearer import Answer, BearerGuard, Call, RefusedError, may_carry_token
from authserver.verifier.demands import Demand

_P = ParamSpec("_P")
_View = Callable[_P, ResponseReturnValue]


class FlaskVerifier:
    """Guards views with `verifier`, and serves the metadata of this resource server from `app`."""

    def __init__(
        self,
        verifier: Verifier,
        app: Flask | None = None,
        *,
        resource: str | None = None,
        metadata_url: str | None = None,
    ) -> None:
        """Guard views with `verifier`. `resource`, `metadata_url`: see `BearerGuard`."""
        self._guard = BearerGuard(verifier, resource=resource, metadata_url=metadata_url)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Serve the metadata (RFC 9728) from `app`; challenges point to it."""
        self._guard.serves_metadata = True
        for number, path in enumerate(self._guard.paths):
            app.add_url_rule(path, f"authserver_metadata_{number}", self._describe, methods=["GET"])

    def require_token(
        self, *, scope: str | None = None, max_age: int | None = None, acr: str | None = None
    ) -> Callable[[_View[_P]], _View[_P]]:
        """Decorate a view: let a request through if its token is valid and meets the demand (`demands.Demand`).

        Place it below the route decorator. Refusals follow RFC 6750 §3, with `soft_logout` in the JSON body.
        """
        demand = Demand(scope, max_age, acr)

        def guard(view: _View[_P]) -> _View[_P]:
            @wraps(view)
            def guarded(*args: _P.args, **kwargs: _P.kwargs) -> ResponseReturnValue:
                call = _describe_call()
                try:
                    g.token = self._guard.admit(call, demand)
                    self._guard.check_form(_read_form(), call.base_url)
                except RefusedError as refused:
                    return _respond(refused.answer)
                return view(*args, **kwargs)

            return guarded

        return guard

    def _describe(self) -> ResponseReturnValue:
        answer = self._guard.describe(request.path)
        return ("", 404) if answer is None else _respond(answer)


def _describe_call() -> Call:
    credentials = read_token(request.headers.getlist("Authorization"), request.query_string.decode("latin-1"))
    return Call(
        credentials, request.url_root.rstrip("/"), request.method, request.path, request.environ.get("HTTP_DPOP")
    )


def _read_form() -> bytes:
    """The body, if it can carry a token. The view can read it again, in any way."""
    if not may_carry_token(request.headers.get("Content-Type", ""), request.headers.get("Content-Length", "")):
        return b""
    body = request.get_data(cache=True)
    request.stream = BytesIO(body)
    # The body is empty if other code has already parsed the form; then the form holds its content.
    return body or urlencode(list(request.form.items(multi=True))).encode()


def _respond(answer: Answer) -> Response:
    return Response(answer.body, answer.status, list(answer.headers))
