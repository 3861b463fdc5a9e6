"""The guard: refuses requests whose end two programs could see at different places.

It checks the framing of a request, the length of its body and the form of its path, never its meaning. The HTTP server
(`server.supervisor`) limits the length of the header, because it has to hold the header before anybody can count it.

A body needs a Content-Length. Every server that we measured silently cuts a chunked form above the limit, and passes on
the first part as if it were whole. A Transfer-Encoding beside a Content-Length is refused, because it can smuggle one
request inside another (RFC 9112 §6.1, §11.2).
"""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BODY_MOST_BYTES: Final = 64 * 1024

_REASONS: Final = {
    HTTPStatus.BAD_REQUEST: "The framing of the request is ambiguous.",
    HTTPStatus.LENGTH_REQUIRED: "A request body needs a Content-Length.",
    HTTPStatus.NOT_FOUND: "There is nothing at this path: it has an empty segment.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request body is too large.",
}


def guard(application: "WSGIApplication", *, body_most_bytes: int = BODY_MOST_BYTES) -> "WSGIApplication":
    """Wrap `application`, outside of every layer that reads bodies, so that each request has one possible end."""

    def guarded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        refusal = _judge(environ, body_most_bytes)
        if refusal is not None:
            return _refuse(refusal, start_response)
        # Without this key the framework counts the bytes, and a body that breaks off is an error, not a shorter body.
        environ.pop("wsgi.input_terminated", None)
        return application(environ, start_response)

    return guarded


def _judge(environ: "WSGIEnvironment", body_most_bytes: int) -> HTTPStatus | None:
    if "//" in environ.get("PATH_INFO", ""):
        # The router would answer 308 with the request's own `Host`, which anybody can forge. The client would then send
        # the body there again, and with it a password or a refresh token.
        return HTTPStatus.NOT_FOUND
    length = environ.get("CONTENT_LENGTH") or ""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return HTTPStatus.BAD_REQUEST if length else HTTPStatus.LENGTH_REQUIRED
    if length and not (length.isascii() and length.isdigit()):
        return HTTPStatus.BAD_REQUEST
    if len(length) > len(str(body_most_bytes)) or int(length or 0) > body_most_bytes:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return None


def _refuse(status: HTTPStatus, start_response: "StartResponse") -> Iterable[bytes]:
    body = json.dumps({"error": "invalid_request", "error_description": _REASONS[status]}).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        # The next bytes on this connection may be the rest of the refused request.
        ("Connection", "close"),
    ]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
