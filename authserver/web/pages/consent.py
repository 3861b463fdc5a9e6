"""`/consent`: where a request goes on after a sign-in, and where the person allows what an application asks for."""

from urllib.parse import urlsplit

from flask import Response

from authserver.authorization.authorization_outcomes import ConsentNeeded, Decision, Wish
from authserver.authorization.pending_request import write_pending
from authserver.protocol.redirect_uri import read_origin
from authserver.sessions.scope import OFFLINE_SCOPE
from authserver.web.context import current_realm
from authserver.web.pages.authorize import (
    answer_outcome,
    answer_too_late,
    evaluate,
    load_pending,
)
from authserver.web.pages.blueprint import answer_page, pages, read_argument, read_fields
from authserver.web.pages.browser import current_browser
from authserver.web.pages.languages import translate, use_locales
from authserver.web.pages.scope_words import say_scopes
from authserver.web.pages.words import say_duration


@pages.get("/consent")
def show_consent() -> Response:
    """The question, if there is still something to ask; else on with the request."""
    return _answer(read_argument("request"), None)


@pages.post("/consent")
def act_consent() -> Response:
    """Take the answer."""
    fields = read_fields()
    said = {decision.value: decision for decision in Decision}.get(fields.get("decision", ""))
    return _answer(fields.get("request", ""), said)


def _answer(token: str, decision: Decision | None) -> Response:
    pending = load_pending(token)
    if pending is None:
        return answer_too_late()
    outcome = evaluate(pending, decision)
    browser = current_browser()
    if not isinstance(outcome, ConsentNeeded) or browser is None:
        return answer_outcome(outcome, pending)
    wish = outcome.wish
    use_locales(wish.ui_locales)
    return answer_page(
        "consent.html",
        image_origin=None if wish.client.logo_uri is None else read_origin(wish.client.logo_uri),
        client=wish.client,
        client_host=_name_target(wish.client.client_uri or wish.redirect_uri),
        redirect_host=_name_target(wish.redirect_uri),
        scopes=say_scopes(wish.scope, wish.client),
        lifetime=_say_lifetime(wish),
        email=browser.user.email,
        # Bound to who is asked: an answer given for him is nobody else's.
        request_token=write_pending(current_realm(), pending.choose(browser.sid)),
    )


def _name_target(redirect_uri: str) -> str:
    """Where the person is sent, as he can judge it: the host, or the app of a private-use scheme."""
    parts = urlsplit(redirect_uri)
    return parts.hostname or parts.scheme


def _say_lifetime(wish: Wish) -> str:
    """For how long it holds (ASVS 10.7.2)."""
    lifetimes = current_realm().lifetimes.of_client(wish.client)
    if wish.client.offline_access or OFFLINE_SCOPE in wish.scope:
        duration = say_duration(lifetimes.refresh_absolute_lifetime)
        return translate("It stays connected for up to %(duration)s, or until you disconnect it.", duration=duration)
    duration = say_duration(lifetimes.access_token_lifetime)
    return translate("It can use this for %(duration)s; then it has to ask again.", duration=duration)
