"""`/login`: sign in, prove again who one is, or choose who to go on as."""

from dataclasses import dataclass, replace
from http import HTTPStatus

import structlog
from flask import Response, current_app, request

from authserver.authentication.browser_session import BrowserSignedIn
from authserver.authentication.reauthentication import is_recent
from authserver.authentication.sign_in_browser import BrowserSignIn, sign_in_browser
from authserver.authorization.authorization_outcomes import ConsentNeeded, SignInNeeded, Wish
from authserver.authorization.pending_request import PendingRequest, write_pending
from authserver.protocol.secret import Secret
from authserver.realm.outcomes import Refused, TryLater
from authserver.web.context import current_cookies, current_realm
from authserver.web.cookies import Cookie
from authserver.web.limits.tries import hit_login, settle
from authserver.web.origin import read_origin
from authserver.web.pages.authorize import (
    answer_outcome,
    answer_too_late,
    evaluate,
    go_to,
    load_pending,
)
from authserver.web.pages.blueprint import answer_page, answer_told, pages, read_argument, read_fields
from authserver.web.pages.browser import current_browser, keep_signed_in, read_device_id
from authserver.web.pages.languages import use_locales
from authserver.web.pages.words import say_refused, tell_busy, tell_too_many

HOME = "/account"
DEMANDS_RECENT = "demands_recent"
"""Marks the view of a page for which the person must have signed in a short while ago."""

_OTHER, _CONTINUE = "other", "continue"
_log = structlog.get_logger(__name__)


@pages.get("/login")
def show_login() -> Response:
    """The form, unless the request behind it needs no sign-in any more."""
    form = _Form(
        token=read_argument("request"),
        following=choose_following(read_argument("next")),
        is_other=read_argument("choice") == _OTHER,
    )
    if not form.token:
        return form.answer() if form.is_other or _must_prove(form.following) else go_to(form.following)
    pending = load_pending(form.token)
    if pending is None:
        return answer_too_late()
    prepared = _prepare(pending, form)
    return prepared.answer() if isinstance(prepared, _Form) else prepared


@pages.post("/login")
def act_login() -> Response:
    """Verify the password, or take the choice."""
    fields = read_fields()
    token, following = fields.get("request", ""), choose_following(fields.get("next", ""))
    pending = load_pending(token) if token else None
    if token and pending is None:
        return answer_too_late()
    browser = current_browser()
    if fields.get("choice") == _OTHER:
        return go_to("/login", request=token, next=None if token else following, choice=_OTHER)
    if fields.get("choice") == _CONTINUE and browser is not None and pending is not None:
        return go_to("/consent", request=write_pending(current_realm(), pending.choose(browser.sid)))
    outcome = _sign_in(fields.get("email", ""), Secret(fields.get("password", "")))
    if isinstance(outcome, Refused):
        email = fields.get("email", "")
        is_other = browser is not None and email != browser.user.email
        form = _Form(token=token, following=following, email=email, is_other=is_other)
        prepared = form if pending is None else _prepare(pending, form)
        return prepared.answer(say_refused(outcome)) if isinstance(prepared, _Form) else prepared
    if isinstance(outcome, Response):
        return outcome
    return keep_signed_in(go_to("/consent", request=token) if token else go_to(following), outcome)


def choose_following(asked: str) -> str:
    """Where to go after a sign-in: a page about the account, named exactly, or else the first of them.

    Nothing of what is asked reaches a redirect but the name of one of our own pages (RFC 9700 §4.11).
    """
    return asked if asked in _list_own() else HOME


def _list_own() -> dict[str, str]:
    """The pages about the account, and the names of their views."""
    return {
        rule.rule: rule.endpoint
        for rule in current_app.url_map.iter_rules()
        if rule.rule.startswith(HOME) and "GET" in (rule.methods or ()) and not rule.arguments
    }


def _must_prove(following: str) -> bool:
    """Whether the person has to sign in before the page `following`: nobody is asked for a password in vain."""
    browser = current_browser()
    if browser is None:
        return True
    view = current_app.view_functions[_list_own()[following]]
    return hasattr(view, DEMANDS_RECENT) and not is_recent(current_realm(), browser)


def _sign_in(email: str, password: Secret) -> BrowserSignedIn | Refused | Response:
    device_id = read_device_id()
    device_token = current_cookies().read(request, Cookie.KNOWN)
    key = hit_login(email, device_id or "", device_token)
    if isinstance(key, int):
        return answer_told(tell_too_many(key))
    attempt = BrowserSignIn(email, password, device_id, current_browser(), read_origin(), device_token)
    outcome = sign_in_browser(current_realm(), attempt)
    settle(key, outcome)
    if isinstance(outcome, TryLater):
        return answer_told(tell_busy(outcome.retry_after))
    if isinstance(outcome, Refused):
        _log.info("authn_login_fail", code=outcome.code, reason=outcome.reason, ip=request.remote_addr)
        return outcome
    _log.info("authn_login_success", sid=outcome.sid, ip=request.remote_addr)
    return outcome


@dataclass(frozen=True, slots=True)
class _Form:
    """What the form carries on, and for whom it is."""

    token: str = ""
    following: str = ""
    email: str = ""
    wish: Wish | None = None
    may_choose: bool = False
    is_other: bool = False

    def answer(self, error: str | None = None) -> Response:
        browser = None if self.is_other else current_browser()
        wish = self.wish
        return answer_page(
            "login.html",
            HTTPStatus.OK if error is None else HTTPStatus.UNAUTHORIZED,
            client_name=None if wish is None else wish.client.name,
            email=self.email or ("" if wish is None else wish.login_hint),
            error=error,
            request_token=self.token,
            next=self.following,
            signed_in_as=None if browser is None else browser.user.email,
            offers_continue=self.may_choose,
            may_register=current_realm().registration.open,
        )


def _prepare(pending: PendingRequest, form: _Form) -> _Form | Response:
    """The form on the way to an application; or on with the request, where nothing is missing that the form gives."""
    outcome = evaluate(pending)
    match outcome:
        case SignInNeeded(wish=wish, may_choose=may_choose):
            pass
        case ConsentNeeded(wish=wish) if form.is_other:
            may_choose = False
        case _:
            return answer_outcome(outcome, pending)
    use_locales(wish.ui_locales)
    return replace(form, wish=wish, may_choose=may_choose and not form.is_other)
