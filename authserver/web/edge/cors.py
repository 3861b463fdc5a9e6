"""CORS: the origins from which scripts may read answers (contract §2, ASVS 3.4.2, RFC 9700 §2.6).

* OAuth endpoints: the origins that the calling client registered. A request without a known client, and a preflight,
  which never names a client, may come from the origins of all clients.
* The account API, to which browsers send cookies: the origins of first-party clients only.
* Discovery and the JWKS: any origin.
* Pages, and endpoints to which a browser is redirected: none.

This layer wraps everything, including failures and the refusals of the guard. Without CORS headers on them, a script
could not tell a refusal from a broken network. CORS tells browsers what a page may read; it protects nothing by itself.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from authserver.realm.client_registry import Origins
from authserver.web.oauth.form import CLIENT_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ENDPOINTS: Final[Mapping[str, str]] = {
    "/oauth/token": "POST",
    "/oauth/revoke": "POST",
    "/oauth/userinfo": "GET, POST",
    "/oauth/par": "POST",
}
"""Path → methods of the OAuth endpoints that scripts may call. None of them reads cookies."""

_CREDENTIALED: Final = frozenset({"/oauth/token"})
"""Where a page may also call with credentials, because libraries do (keycloak-js).

No cookie has a meaning there, so the page gets nothing that it could not get without.
"""

_METADATA: Final = "/.well-known/oauth-authorization-server"  # with the issuer's path behind it (RFC 8414 §3.1)
PUBLIC: Final = frozenset({"/.well-known/openid-configuration", _METADATA, "/.well-known/jwks.json"})
"""The paths that any origin may read, without credentials."""


API: Final = "/api/"
API_METHODS: Final = "GET, POST, PATCH, DELETE"
DOCUMENTATION: Final = "/api/docs"
"""The path of the API's documentation. It is a page, so no other origin may read it."""

_VARY: Final = ("Vary", "Origin")
_ANY_ORIGIN: Final = ("Access-Control-Allow-Origin", "*")
_EXPOSED: Final = ("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After, DPoP-Nonce")
_CREDENTIALS: Final = ("Access-Control-Allow-Credentials", "true")
_PREFLIGHT: Final = (
    # Tracing libraries add the last four to every call of a page.
    (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, DPoP, traceparent, tracestate, baggage, sentry-trace",
    ),
    ("Access-Control-Max-Age", "600"),
)
Headers = list[tuple[str, str]]


def allow_origins(
    application: "WSGIApplication", find_origins: Callable[[], Origins], *, prefix: str = ""
) -> "WSGIApplication":
    """Wrap `application`, outside of every layer that refuses requests.

    Args:
        application: answers everything except preflights.
        find_origins: the origins that enabled clients registered.
        prefix: the path of the issuer, below which everything is served.
    """

    def allowing(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        full_path = environ.get("PATH_INFO", "")
        path = full_path[len(prefix) :] if full_path.startswith(prefix) else ""
        is_preflight = environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        if is_preflight and (path in PUBLIC or full_path == f"{_METADATA}{prefix}"):
            return _answer_preflight([_ANY_ORIGIN], "GET", start_response)
        methods = _find_methods(path)
        if methods is None:
            return application(environ, start_response)
        origin = environ.get("HTTP_ORIGIN")
        if is_preflight:
            return _answer_preflight(_allow(origin, path, None, find_origins), methods, start_response)

        def start(status: str, headers: Headers, *error: Any) -> Any:  # noqa: ANN401 - as it came
            added = _allow(origin, path, environ.get(CLIENT_ID), find_origins)
            if len(added) > 1:
                added.append(_EXPOSED)
            return start_response(status, [*headers, *added], *error)

        return application(environ, start)

    return allowing


def _allow(origin: str | None, path: str, client_id: str | None, find_origins: Callable[[], Origins]) -> Headers:
    if origin is None:
        return [_VARY]
    known, is_api = find_origins(), path.startswith(API)
    allowed = known.first_party if is_api else known.by_client.get(client_id or "", known.all)
    if origin not in allowed:
        return [_VARY]
    with_credentials = is_api or path in _CREDENTIALED
    return [_VARY, ("Access-Control-Allow-Origin", origin), *([_CREDENTIALS] if with_credentials else [])]


def _find_methods(path: str) -> str | None:
    if path.startswith(API) and not path.startswith(DOCUMENTATION):
        return API_METHODS
    return ENDPOINTS.get(path)


def _answer_preflight(added: Headers, methods: str, start_response: "StartResponse") -> Iterable[bytes]:
    """Answer what a browser asks before it sends a request that no plain form could; allow unknown origins nothing."""
    if added != [_VARY]:
        added += [("Access-Control-Allow-Methods", methods), *_PREFLIGHT]
    start_response("204 No Content", [*added, ("Cache-Control", "no-store")])
    return []
