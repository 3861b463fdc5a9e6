"""Serving under an issuer with a path: `https://example.com/auth` puts every route below `/auth`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_AT_THE_ROOT = frozenset({"/healthz", "/readyz"})
_METADATA = "/.well-known/oauth-authorization-server"
_CHANGE_PASSWORD = "/.well-known/change-password"  # noqa: S105 - a page


class Mount:
    """Moves an application below `prefix`.

    Three things stay at the root: the health checks, the metadata document, which RFC 8414 §3.1 puts there with the
    prefix behind it, and the path that password managers look for, which redirects below the prefix.
    """

    def __init__(self, app: "WSGIApplication", prefix: str) -> None:
        """Serve `app` below `prefix`, which begins with a slash and does not end with one."""
        self._app = app
        self._prefix = prefix

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if path == self._prefix or path.startswith(self._prefix + "/"):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + self._prefix
            environ["PATH_INFO"] = path[len(self._prefix) :] or "/"
        elif path == _CHANGE_PASSWORD:
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + self._prefix
        elif path == _METADATA + self._prefix:
            environ["PATH_INFO"] = _METADATA
        elif path not in _AT_THE_ROOT:
            start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return [b""]
        return self._app(environ, start_response)
