"""Redirects: to a page of ours, or to exactly the URI that a client registered."""

from http import HTTPStatus
from urllib.parse import urlencode

from flask import Response

from authserver.web.pages.rendering import page_path


def go_to(path: str, **query: str | None) -> Response:
    """Redirect to a page of ours with 303. With 307 a browser would send a password on (RFC 9700 §4.12)."""
    return redirect_exactly(page_path(path, **query))


def redirect_exactly(location: str) -> Response:
    """Redirect with 303 to exactly this location."""
    response = Response(status=HTTPStatus.SEE_OTHER)
    # Otherwise Werkzeug would rewrite the location, and the client compares it with the URI that it registered.
    response.autocorrect_location_header = False
    response.headers["Location"] = location
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def add_to_query(uri: str, parameters: dict[str, str]) -> str:
    """Append parameters to the query of `uri`, and keep the query that the client registered (RFC 6749 §3.1.2).

    A registered URI has no fragment.
    """
    base, mark, query = uri.partition("?")
    joined = f"{query}&{urlencode(parameters)}" if mark and query else urlencode(parameters)
    return f"{base}?{joined}"
