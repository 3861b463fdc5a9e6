"""Pages for failures that no view handles, so that people see a page instead of a line of text."""

from http import HTTPStatus
from typing import Final

from flask import Response, request
from werkzeug.exceptions import HTTPException

from authserver.web.pages.blueprint import Told, answer_told
from authserver.web.pages.languages import mark, translate

_OF_PEOPLE: Final = frozenset({"/oauth/authorize", "/oauth/logout"})
_SAYINGS: Final = {
    HTTPStatus.NOT_FOUND: (
        mark("There is no such page"),
        mark("The address is wrong, or the page has moved."),
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        mark("Please try again in a moment"),
        mark("A part of this service does not respond at the moment. Nothing was changed."),
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        mark("Something went wrong here"),
        mark("This is not your fault. The error has been logged. Please try again later."),
    ),
}
_ELSE: Final = (mark("This did not work"), mark("Your browser sent something that this page does not accept."))


def is_for_people(path: str) -> bool:
    """Whether the request for `path` comes from a browser that will show the answer to a person."""
    is_page = path in _OF_PEOPLE or not path.startswith(("/oauth/", "/api/", "/.well-known/"))
    return is_page and "text/html" in request.headers.get("Accept", "")


def answer_failure(error: HTTPException) -> Response:
    """Answer with the page for `error`, without its reason."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    title, sentence = _SAYINGS.get(status, _ELSE)
    return answer_told(Told(translate(title), (translate(sentence),), status))
