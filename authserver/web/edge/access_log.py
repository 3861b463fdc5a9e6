"""The access log: one line per request, if AUTHSERVER_ACCESS_LOG turns it on.

A line holds the path, but never the query, a header or the body, because they carry tokens, codes and passwords.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import structlog

from authserver.clock import Clock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = structlog.get_logger(__name__)


def log_requests(application: "WSGIApplication", clock: Clock) -> "WSGIApplication":
    """Wrap `application` as the outermost layer, so that requests refused by the guard are logged, too."""

    def logging(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        began = clock.monotonic()
        # Read first, because the mount moves its prefix from one variable to the other.
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        answered: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:  # noqa: ANN401 - as it came
            answered[:] = [status]
            return start_response(status, headers, *error)

        body = application(environ, start)
        _log.info(
            "request",
            method=environ["REQUEST_METHOD"],
            path=path.encode("latin-1", "replace").decode("utf-8", "replace"),
            status=int(answered[0].partition(" ")[0]) if answered else None,
            milliseconds=round((clock.monotonic() - began) * 1000, 1),
            ip=environ.get("REMOTE_ADDR", ""),  # the client's: `TrustedProxies` has set it by now
        )
        return body

    return logging
