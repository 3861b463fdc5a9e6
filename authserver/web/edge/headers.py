"""Headers that every answer carries (ASVS 3.4).

They are added outside Flask, because its response object would cost ten times as much on every request.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ALWAYS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    # Otherwise granian names itself, which helps attackers to find servers with a known fault (ASVS 13.4.6).
    ("Server", ""),
)
_HSTS: Final = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


def complete_headers(application: "WSGIApplication", *, https: bool) -> "WSGIApplication":
    """Wrap `application`: add the headers that an answer does not set itself. `https` adds HSTS."""
    usual = {pair[0].lower(): pair for pair in ((*_ALWAYS, _HSTS) if https else _ALWAYS)}

    def completing(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:  # noqa: ANN401 - as it came
            own = {name.lower() for name, _ in headers}
            added = [pair for name, pair in usual.items() if name not in own]
            return start_response(status, headers + added, *error)

        return application(environ, start)

    return completing
