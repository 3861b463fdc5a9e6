"""One log line a request, where AUTHSERVER_ACCESS_LOG asks for it.

The path and never the query, no header and no body: tokens, codes and passwords are there.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import structlog

from authserver.clock import Clock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = structlog.get_logger(__name__)


def log_requests(application: "WSGIApplication", clock: Clock) -> "WSGIApplication":
    """Wrap `application`, outside of everything: what the guard refuses is logged as well."""

    def logging(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        began = clock.monotonic()
        # Before anybody inside takes the mount's prefix from it.
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
            ip=environ.get("REMOTE_ADDR", ""),  # of the client: `TrustedProxies` has set it meanwhile
        )
        return body

    return logging
