"""The blueprint of all pages: the check where a form comes from, and the headers of every page."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from apiflask import APIBlueprint
from flask import Response, current_app, g, request

from authserver.protocol.bearer_request import FORM_TYPE
from authserver.protocol.text import is_storable
from authserver.web.context import current_realm
from authserver.web.pages.csrf import is_proved, keep_seed
from authserver.web.pages.languages import current_language, translate
from authserver.web.pages.rendering import render
from authserver.web.pages.ways import Way, lead_to_account
from authserver.web.site import serialise_origin

_MOST_FIELDS: Final = 50
_View = TypeVar("_View", bound=Callable[..., Response])
_TAKES_FOREIGN_FORMS: Final = "takes_foreign_forms"
_CARRIES_REQUESTS: Final = "carries_requests"
_IN_ADDRESSES: Final = ("request", "next", "token")
"""The form fields that the addresses of pages contain, too."""

_BEGINNINGS: Final = frozenset({"/oauth/authorize", "/oauth/logout"})
SCRIPTED: Final = frozenset(
    {
        "account_delete.html",
        "account_email.html",
        "account_password.html",
        "form_post.html",
        "login.html",
        "reset.html",
        "signup.html",
    }
)
"""The pages that may load one of our scripts. All of them work without it."""

pages = APIBlueprint("pages", __name__, enable_openapi=False)


@dataclass(frozen=True, slots=True)
class Told:
    """A page that says what happened, or why nothing did, in the language of the request.

    `ways` are its links. If there are none, the page links to the account.
    """

    title: str
    sentences: tuple[str, ...]
    status: HTTPStatus = HTTPStatus.OK
    ways: tuple[Way, ...] = ()
    retry_after: int | None = None


def answer_page(
    template: str,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    image_origin: str | None = None,
    **values: object,
) -> Response:
    """Answer with a page that is not stored, not framed, and whose address is not sent to other sites.

    The address may hold the token of a link.

    Args:
        template: the name of the template.
        status: the status of the answer.
        image_origin: another origin from which the page may load a picture.
        values: the values for the template.
    """
    response = Response(render(template, **values), status, content_type="text/html; charset=utf-8")
    keep_seed(response)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = _write_policy(
        runs_script=template in SCRIPTED, image_origin=image_origin
    )
    # The address behind a mailed link holds the link's token, which must not appear in a `Referer`. With "no-referrer"
    # browsers send `Origin: null` with the form (Fetch §3.2), so the form's own token decides there.
    response.headers["Referrer-Policy"] = "no-referrer" if "token" in request.args else "same-origin"
    # For old browsers; the others know `frame-ancestors`.
    response.headers["X-Frame-Options"] = "DENY"
    if not _is_on_the_way():
        # A window that opened this page cannot reach into it (ASVS 3.4.8). Pages of an application's request go without
        # this header, because the application may have opened its sign-in in another window, and waits for it.
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Content-Language"] = current_language()
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response


def answer_told(told: Told) -> Response:
    """Answer with the page that shows `told`."""
    response = answer_page("told.html", told.status, told=replace(told, ways=told.ways or (lead_to_account(),)))
    if told.retry_after is not None:
        response.headers["Retry-After"] = str(told.retry_after)
    return response


def read_fields() -> dict[str, str]:
    """Read the fields of the form; none if the body is no form, or repeats a field (ASVS 15.3.7).

    A field that is empty, or contains characters that cannot be stored, counts as absent.
    """
    if "fields" not in g:
        g.fields = _parse_fields()
    fields: dict[str, str] = g.fields
    return fields


def read_argument(name: str) -> str:
    """Read `name` from the query; empty if it is absent, or contains characters that cannot be stored."""
    value = request.args.get(name, "")
    return value if is_storable(value) else ""


def lead_back() -> Way:
    """Make the link back to the page whose form was sent, with the query of that page."""
    page = request.path if _can_be_looked_at(request.path) else "/account"
    read = read_fields().get if request.method == "POST" else read_argument
    return Way(translate("Back to the form"), page, {name: read(name) or "" for name in _IN_ADDRESSES})


def _can_be_looked_at(path: str) -> bool:
    return any(rule.rule == path and "GET" in (rule.methods or ()) for rule in current_app.url_map.iter_rules())


def _parse_fields() -> dict[str, str]:
    if request.mimetype != FORM_TYPE:
        return {}
    try:
        pairs = parse_qsl(request.get_data(as_text=True), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
    fields = dict(pairs)
    return {name: value for name, value in fields.items() if is_storable(value)} if len(fields) == len(pairs) else {}


def take_foreign_forms(view: _View) -> _View:
    """Let forms of other sites reach `view` (OpenID Connect Core §3.1.2.1).

    The view must check `is_own_form` before it does anything that needs the person's decision.
    """
    setattr(view, _TAKES_FOREIGN_FORMS, True)
    return view


def carry_requests(view: _View) -> _View:
    """Mark `view` as a page of requests: its parameter `request` holds what an application asked for."""
    setattr(view, _CARRIES_REQUESTS, True)
    return view


def is_own_form() -> bool:
    """Whether the form is one of ours, from a page that this browser loaded."""
    return comes_from_here() and is_proved(read_fields())


@pages.before_request
def _refuse_foreign_form() -> Response | None:
    """Refuse a form from another site (ASVS 3.5.1), or without the token of this browser."""
    if request.method != "POST" or _takes_foreign_forms():
        return None
    if not comes_from_here():
        return answer_told(_tell_foreign_form())
    return None if is_proved(read_fields()) else answer_told(_tell_unproved_form())


def _takes_foreign_forms() -> bool:
    return _has(_TAKES_FOREIGN_FORMS)


def _has(mark: str) -> bool:
    return hasattr(current_app.view_functions.get(request.endpoint or ""), mark)


def comes_from_here() -> bool:
    """Whether no header of the browser says that another site sent this form.

    `Sec-Fetch-Site` decides, if it is present, otherwise `Origin`, which must be ours. If neither says anything (an
    older browser on a page behind a mailed link), only the token of the form decides.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("Origin", "null") in {"null", serialise_origin(current_realm().issuer)}


def _is_on_the_way() -> bool:
    """Whether the page belongs to a request of an application, which may have opened a window for it."""
    if request.path in _BEGINNINGS:
        return True
    return _has(_CARRIES_REQUESTS) and bool(request.args.get("request") or read_fields().get("request"))


def _write_policy(*, runs_script: bool, image_origin: str | None) -> str:
    script = "script-src 'self'; " if runs_script else ""
    images = "'self'" if image_origin is None else f"'self' {image_origin}"
    # Chromium applies form-action to every redirect that follows a form, also at the application's callback and beyond.
    # No list could name all those targets, so the policy has no form-action while a request leads to an application.
    targets = "" if _is_on_the_way() else "form-action 'self'; "
    return (
        f"default-src 'none'; {script}style-src 'self'; img-src {images}; {targets}"
        "base-uri 'none'; frame-ancestors 'none'"
    )


def _tell_foreign_form() -> Told:
    sentences = (
        translate("Nothing was changed."),
        translate("Open the page on this site, and use the button there."),
    )
    return Told(translate("This form is from another site"), sentences, HTTPStatus.FORBIDDEN)


def _tell_unproved_form() -> Told:
    sentences = (
        translate("Nothing was changed."),
        translate("The form was open for too long, or your browser does not keep the cookie that protects it."),
        translate("Go back to the form and send it again. Please allow cookies for this site."),
    )
    return Told(translate("This form is out of date"), sentences, HTTPStatus.FORBIDDEN, (lead_back(),))
