"""From which web pages a browser may call (contract §2, ASVS 3.4.2, RFC 9700 §2.6): those that clients registered.

One layer around everything, refusals of the guard and failures included: an answer that a page may not read looks to
its script like a broken network. It says what a browser may show to a page and protects nothing by itself. Endpoints
that a browser is sent to, and pages, are never named here; discovery and the JWKS are for any origin and say so
themselves.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ENDPOINTS: Final[Mapping[str, str]] = {
    "/oauth/token": "POST",
    "/oauth/revoke": "POST",
    "/oauth/userinfo": "GET, POST",
}
"""Path → methods. They know nothing of cookies."""

API: Final = "/api/"
API_METHODS: Final = "GET, POST, PATCH, DELETE"
DOCUMENTATION: Final = "/api/docs"
"""A page; nothing for another page to read."""

_VARY: Final = ("Vary", "Origin")
_EXPOSED: Final = ("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
_CREDENTIALS: Final = ("Access-Control-Allow-Credentials", "true")
_PREFLIGHT: Final = (
    ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
    ("Access-Control-Max-Age", "600"),
)
Headers = list[tuple[str, str]]


def allow_origins(
    application: "WSGIApplication", allows: Callable[[str], bool], *, prefix: str = ""
) -> "WSGIApplication":
    """Wrap `application`, outside of all that refuses requests.

    Args:
        application: what answers everything but preflights.
        allows: whether a client that is enabled registered this origin, compared exactly.
        prefix: the path of the issuer, below which everything is served.
    """

    def allowing(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        full_path = environ.get("PATH_INFO", "")
        path = full_path[len(prefix) :] if full_path.startswith(prefix) else ""
        methods = _find_methods(path)
        if methods is None:
            return application(environ, start_response)
        origin = environ.get("HTTP_ORIGIN")
        added = [_VARY]
        if origin is not None and allows(origin):
            added += [("Access-Control-Allow-Origin", origin), *([_CREDENTIALS] if path.startswith(API) else [])]
        if environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
            return _answer_preflight(added, methods, start_response)
        if len(added) > 1:
            added.append(_EXPOSED)

        def start(status: str, headers: Headers, *error: Any) -> Any:  # noqa: ANN401 - as it came
            return start_response(status, [*headers, *added], *error)

        return application(environ, start)

    return allowing


def _find_methods(path: str) -> str | None:
    if path.startswith(API) and not path.startswith(DOCUMENTATION):
        return API_METHODS
    return ENDPOINTS.get(path)


def _answer_preflight(added: Headers, methods: str, start_response: "StartResponse") -> Iterable[bytes]:
    """What the browser asks before it sends what a plain form could not; of an unknown origin nothing is allowed."""
    if len(added) > 1:
        added += [("Access-Control-Allow-Methods", methods), *_PREFLIGHT]
    start_response("204 No Content", [*added, ("Cache-Control", "no-store")])
    return []
