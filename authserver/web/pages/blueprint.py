"""The blueprint that every page hangs on: where a form may come from, and what no answer may be without."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from apiflask import APIBlueprint
from flask import Response, render_template, request

from authserver.web.context import current_realm

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

pages = APIBlueprint("pages", __name__, template_folder="templates", enable_openapi=False)


@dataclass(frozen=True, slots=True)
class Told:
    """A page that says what happened, or why nothing did."""

    title: str
    sentences: tuple[str, ...]
    status: HTTPStatus = HTTPStatus.OK
    offers_reset: bool = False
    retry_after: int | None = None


def answer_page(template: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> Response:
    """A page that nobody keeps: it may hold the token of a link."""
    response = Response(render_template(template, **values), status, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def answer_told(told: Told) -> Response:
    """The page that says so."""
    response = answer_page("told.html", told.status, told=told)
    if told.retry_after is not None:
        response.headers["Retry-After"] = str(told.retry_after)
    return response


@pages.get("/pages.css")
def answer_stylesheet() -> Response:
    """The one stylesheet."""
    response = Response(render_template("pages.css"), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response


@pages.before_request
def _refuse_foreign_form() -> Response | None:
    """Refuse what another site's page sends (ASVS 3.5.1)."""
    if request.method != "POST" or _comes_from_here():
        return None
    return answer_told(FOREIGN_FORM)


def _comes_from_here() -> bool:
    """Whether a browser says that one of our pages sent this.

    `Sec-Fetch-Site` first: because our pages send no referrer, browsers write `Origin: null` on their forms (Fetch
    §3.2). Where it is absent, `Origin` must be ours; where both are, nobody with a browser can have sent this.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("Origin") == serialise_origin(current_realm().issuer)


def serialise_origin(url: str) -> str:
    """The origin of `url` as browsers write it (RFC 6454 §6.2): without a default port."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


FOREIGN_FORM: Final = Told(
    "This form did not come from here",
    ("Nothing was changed. Open the link in the mail again, and use the button on the page that it opens.",),
    HTTPStatus.FORBIDDEN,
)
