"""`/oauth/logout`, to which applications send people to sign out, and `/logout`, which people open themselves."""

import structlog
from flask import Response, request

from authserver.authentication.sign_out import sign_out
from authserver.authorization.end_session import EndSessionPlan, EndSessionRequest, plan_end_session
from authserver.protocol.authorization_request import read_parameters
from authserver.protocol.bearer_request import FORM_TYPE
from authserver.records.client_document import name_client
from authserver.web.context import current_cookies, current_realm
from authserver.web.cookies import Cookie
from authserver.web.pages.blueprint import (
    answer_page,
    is_own_form,
    pages,
    read_fields,
    take_foreign_forms,
)
from authserver.web.pages.browser import current_browser
from authserver.web.pages.languages import use_locales
from authserver.web.pages.redirects import add_to_query, go_to, redirect_exactly
from authserver.web.pages.visits import HOME

PATH = "/oauth/logout"
_PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales")
_SIGN_OUT, _STAY = "sign_out", "stay"
_log = structlog.get_logger(__name__)


@pages.get(PATH)
def show_end_session() -> Response:
    """Sign out at once if the request proves which session it means; otherwise ask."""
    return _answer(_read(request.query_string.decode("ascii", "replace")))


@pages.post(PATH)
@take_foreign_forms
def take_end_session() -> Response:
    """Apply the person's answer, or redirect a client's request to a GET.

    Browsers send no `SameSite=Lax` cookie with another site's form, but they send it with the GET that follows.
    """
    if is_own_form():
        fields = read_fields()
        return _answer({name: fields[name] for name in _PARAMETERS if name in fields}, fields.get("decision", ""))
    is_form = request.mimetype == FORM_TYPE
    return go_to(PATH, **_read(request.get_data(as_text=True) if is_form else ""))


@pages.get("/logout")
def show_sign_out() -> Response:
    """Ask for confirmation."""
    return _answer({})


@pages.post("/logout")
def act_sign_out() -> Response:
    """Apply the person's answer."""
    return _answer({}, read_fields().get("decision", ""))


def _read(text: str) -> dict[str, str]:
    """Read the parameters of a request; none if a parameter is repeated."""
    parameters = read_parameters(text)
    if parameters is None or parameters.repeated:
        return {}
    return {name: parameters.values[name] for name in _PARAMETERS if name in parameters.values}


def _answer(parameters: dict[str, str], decision: str = "") -> Response:
    use_locales(parameters.get("ui_locales"))
    browser = current_browser()
    asked = _read_request(parameters)
    plan = plan_end_session(current_realm(), asked, browser)
    if asked.post_logout_redirect_uri is not None and plan.redirect_uri is None:
        client_id = asked.client_id if plan.client is None else plan.client.client_id
        _log.info(
            "post_logout_redirect_refused",
            client_id=client_id,
            post_logout_redirect_uri=asked.post_logout_redirect_uri,
            ip=request.remote_addr,
        )
    if browser is None:
        return _leave(plan, parameters)
    if decision == _STAY:
        return go_to(HOME)
    if plan.needs_asking and decision != _SIGN_OUT:
        return _ask(plan, parameters)
    receipt = sign_out(current_realm(), browser, request.remote_addr or "")
    _log.info("signed_out", sid=browser.sid, ip=request.remote_addr)
    response = _leave(plan, parameters)
    if receipt.sessions_ended:
        # The session has ended, so the cookie in the browser is not that of a user who signed in meanwhile.
        current_cookies().take_back(response, Cookie.SESSION)
    return response


def _read_request(parameters: dict[str, str]) -> EndSessionRequest:
    return EndSessionRequest(
        parameters.get("id_token_hint"), parameters.get("client_id"), parameters.get("post_logout_redirect_uri")
    )


def _ask(plan: EndSessionPlan, parameters: dict[str, str]) -> Response:
    return answer_page(
        "sign_out.html",
        client_name=None if plan.client is None else name_client(plan.client.client_id, plan.client.name),
        fields=parameters,
    )


def _leave(plan: EndSessionPlan, parameters: dict[str, str]) -> Response:
    """Redirect to the client with its `state` (OpenID Connect RP-Initiated Logout §3), or show our last page."""
    if plan.redirect_uri is None:
        return answer_page("signed_out.html")
    state = {name: value for name, value in parameters.items() if name == "state"}
    return redirect_exactly(add_to_query(plan.redirect_uri, state) if state else plan.redirect_uri)
