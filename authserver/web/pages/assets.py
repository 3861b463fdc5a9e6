"""The files of the pages: one style sheet, one picture, two scripts. Styles and scripts come only from here."""

from hashlib import sha256
from typing import Final

from flask import Response, request

from authserver.web.pages.blueprint import pages
from authserver.web.pages.rendering import current_look, render

_PICTURE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
"""The policy of pictures. An SVG that is opened by itself runs none of its scripts."""


@pages.get("/pages.css")
def answer_stylesheet() -> Response:
    """Answer with the style sheet."""
    return _answer_file(render("pages.css").encode(), "text/css; charset=utf-8")


@pages.get("/pages/logo")
def answer_logo() -> Response:
    """Answer with the operator's logo, or with the default picture."""
    logo = current_look().brand.logo
    if logo is None:
        response = _answer_file(render("mark.svg").encode(), "image/svg+xml")
    else:
        response = _answer_file(logo.content, logo.content_type)
    response.headers["Content-Security-Policy"] = _PICTURE_POLICY
    return response


@pages.get("/pages/form-post.js")
def answer_script() -> Response:
    """Answer with the script that submits the form of `response_mode=form_post`. Its page has a button, too."""
    return _answer_file(render("form-post.js").encode(), "text/javascript; charset=utf-8")


@pages.get("/pages/password.js")
def answer_password_script() -> Response:
    """Answer with the script that can show a typed password. Without it, the pages have no button for that."""
    return _answer_file(render("password.js").encode(), "text/javascript; charset=utf-8")


def _answer_file(content: bytes, content_type: str) -> Response:
    """Answer with a file. Browsers revalidate it each time, and get it again only if it has changed."""
    response = Response(content, content_type=content_type)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.set_etag(sha256(content).hexdigest()[:32])
    response.make_conditional(request)
    return response
