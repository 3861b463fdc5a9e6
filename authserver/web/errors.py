"""The format of errors, chosen by the path: a page for people, OAuth JSON, problem+json, or plain text.

No answer contains anything of an exception; the log has it.
"""

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable

from authserver.protocol.pause import draw_pause
from authserver.records.failures import StorageUnavailableError
from authserver.web.context import current_realm
from authserver.web.oauth.form import JsonAnswer, answer_json
from authserver.web.pages.failures import answer_failure, is_for_people
from authserver.web.problem import answer_http_problem

_log = structlog.get_logger(__name__)
_OAUTH_CODES = {500: "server_error", 503: "temporarily_unavailable"}
_KEPT_HEADERS = frozenset({"allow", "retry-after"})


def handle_errors(app: Flask) -> None:
    """Register the handlers of this file for every failure of `app`."""
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(StorageUnavailableError, _answer_unavailable)
    app.register_error_handler(Exception, _answer_unexpected)


def _answer_http(error: HTTPException) -> Response | JsonAnswer:
    """Answer an error of the framework (unknown path, wrong method, large body), a 503 for the database, or a 500."""
    response = _shape(error)
    for name, value in error.get_headers():
        if name.lower() in _KEPT_HEADERS:
            response.headers[name] = value
    return response


def _shape(error: HTTPException) -> Response | JsonAnswer:
    status = error.code or 500
    if request.path.startswith("/api/"):
        return answer_http_problem(error)
    if is_for_people(request.path):
        try:
            return answer_failure(error)
        except Exception as second:  # noqa: BLE001 - the templates or the catalogues may be what failed
            _log.error("page_of_failure_failed", exc_info=second)
    if request.path.startswith("/oauth/"):
        code = _OAUTH_CODES.get(status, "invalid_request")
        return answer_json({"error": code, "error_description": f"{error.name}."}, status)
    return Response(f"{status} {error.name}\n", status, content_type="text/plain; charset=utf-8")


def _answer_unavailable(error: StorageUnavailableError) -> Response | JsonAnswer:
    _log.error("storage_unavailable", path=request.path, cause=type(error.__cause__).__name__)
    return _answer_http(ServiceUnavailable(retry_after=draw_pause(current_realm().entropy)))


def _answer_unexpected(error: Exception) -> Response | JsonAnswer:
    _log.error("unexpected_error", path=request.path, method=request.method, exc_info=error)
    return _answer_http(InternalServerError())
