"""Sending browsers on: to a page of ours, or to exactly what a client registered."""

from http import HTTPStatus
from urllib.parse import urlencode

from flask import Response

from authserver.web.pages.rendering import page_path


def go_to(path: str, **query: str | None) -> Response:
    """See Other, never 307: no browser sends a password on (RFC 9700 §4.12)."""
    return redirect_exactly(page_path(path, **query))


def redirect_exactly(location: str) -> Response:
    """See Other, to exactly these characters."""
    response = Response(status=HTTPStatus.SEE_OTHER)
    # Not made absolute, and not "corrected": the client compares it with what it registered.
    response.autocorrect_location_header = False
    response.headers["Location"] = location
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def add_to_query(uri: str, parameters: dict[str, str]) -> str:
    """RFC 6749 §3.1.2: a query that the client registered stays. A registered URI has no fragment."""
    base, mark, query = uri.partition("?")
    joined = f"{query}&{urlencode(parameters)}" if mark and query else urlencode(parameters)
    return f"{base}?{joined}"
