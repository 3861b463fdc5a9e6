"""`/oauth/authorize`: where applications send people, and how the answer goes back with them."""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

import structlog
from flask import Response, request

from authserver.authorization.authorization_outcomes import (
    AlreadyAnswered,
    AuthorizationAnswer,
    ConsentNeeded,
    Decision,
    Outcome,
    SignInNeeded,
    Unredirectable,
)
from authserver.authorization.authorize import authorize
from authserver.authorization.pending_request import PendingRequest, begin_pending, read_pending, write_pending
from authserver.protocol.bearer_request import FORM_TYPE
from authserver.web.context import current_realm
from authserver.web.pages.blueprint import Told, answer_page, answer_told, pages, take_foreign_forms
from authserver.web.pages.browser import current_browser
from authserver.web.pages.languages import translate
from authserver.web.pages.rendering import page_path

PATH = "/oauth/authorize"
LONGEST: Final = 5000
"""Characters of a request. Our pages carry it on in their address, as base64 and with a proof: 7,000 then, of the 8 KiB
that the proxies which we describe take for the first line of a request.
"""

_log = structlog.get_logger(__name__)


@pages.get(PATH)
def show_authorize() -> Response:
    """Evaluate a request that came in the query."""
    return _begin(request.query_string.decode("ascii", "replace"))


@pages.post(PATH)
@take_foreign_forms
def take_authorize() -> Response:
    """The same for one that came as a form (OpenID Connect Core §3.1.2.1), as a GET.

    Browsers bring no `SameSite=Lax` cookie along with another site's form, but they do where that leads.
    """
    is_form = request.mimetype == FORM_TYPE
    text = request.get_data(as_text=True) if is_form else ""
    if not text or len(text) > LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        return _refuse_unredirectable(Unredirectable("a form that is too long, or none"))
    return redirect_exactly(f"{page_path(PATH)}?{text}")


def _begin(text: str) -> Response:
    if len(text) > LONGEST:
        return _refuse_unredirectable(Unredirectable("a request that is too long"))
    browser = current_browser()
    pending = begin_pending(current_realm(), text, None if browser is None else browser.session.auth_time)
    return answer_outcome(evaluate(pending), pending)


def load_pending(token: str) -> PendingRequest | None:
    """The request that one of our pages carries on, or None."""
    return read_pending(current_realm(), token)


def evaluate(pending: PendingRequest, decision: Decision | None = None) -> Outcome:
    """What `pending` comes to for who sits at this browser."""
    return authorize(current_realm(), pending, current_browser(), ip=request.remote_addr or "", decision=decision)


def answer_outcome(outcome: Outcome, pending: PendingRequest) -> Response:
    """Send the browser where the request has to go next."""
    match outcome:
        case Unredirectable():
            return _refuse_unredirectable(outcome)
        case AlreadyAnswered():
            return answer_told(_tell_answered())
        case SignInNeeded(wants_account=wants_account):
            page = "/signup" if wants_account and current_realm().registration.open else "/login"
            return go_to(page, request=write_pending(current_realm(), pending))
        case ConsentNeeded():
            return go_to("/consent", request=write_pending(current_realm(), pending))
        case AuthorizationAnswer():
            return _answer_client(outcome)


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


def answer_too_late() -> Response:
    """The page for a request that was begun too long ago, or that no application began."""
    sentences = (
        translate("This took too long, or the address of this page was changed."),
        translate("Go back to the app that sent you here, and start again."),
    )
    return answer_told(Told(translate("Please start again"), sentences, HTTPStatus.BAD_REQUEST))


def _answer_client(answer: AuthorizationAnswer) -> Response:
    _log.info("authorization_answered", error=answer.parameters.get("error"), ip=request.remote_addr)
    if answer.response_mode == "form_post":
        return answer_page(
            "form_post.html",
            action=answer.redirect_uri,
            fields=answer.parameters,
        )
    if answer.response_mode == "fragment":  # a registered URI has none of its own
        return redirect_exactly(f"{answer.redirect_uri}#{urlencode(answer.parameters)}")
    return redirect_exactly(add_to_query(answer.redirect_uri, answer.parameters))


def add_to_query(uri: str, parameters: dict[str, str]) -> str:
    """RFC 6749 §3.1.2: a query that the client registered stays. A registered URI has no fragment."""
    base, mark, query = uri.partition("?")
    joined = f"{query}&{urlencode(parameters)}" if mark and query else urlencode(parameters)
    return f"{base}?{joined}"


def _refuse_unredirectable(refused: Unredirectable) -> Response:
    _log.info(
        "authorization_refused",
        reason=refused.reason,
        client_id=refused.client_id,
        redirect_uri=refused.redirect_uri,
        ip=request.remote_addr,
    )
    return answer_told(_tell_unredirectable())


def _tell_answered() -> Told:
    return Told(
        translate("You are done here"),
        (
            translate("You have already answered this request, and the app has received what you allowed."),
            translate("Go back to the app. To sign in again, start there."),
        ),
        HTTPStatus.CONFLICT,
    )


def _tell_unredirectable() -> Told:
    return Told(
        translate("This link is not valid"),
        (
            translate("The app that sent you here is unknown, or uses an unregistered address."),
            translate("Nothing was changed. If this happens again, contact the people who make the app."),
        ),
        HTTPStatus.BAD_REQUEST,
    )
