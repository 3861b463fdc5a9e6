"""`/login`: the step at which people sign in, confirm their identity again, or choose an account."""

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final

import structlog
from flask import Response, request

from authserver.authentication.browser_session import BrowserSignedIn
from authserver.authentication.sign_in_browser import BrowserSignIn, sign_in_browser
from authserver.authorization.interaction import find_missing_sign_in
from authserver.authorization.outcomes import Missing, SignInNeeded
from authserver.authorization.pending_request import CHOSE, PROVED
from authserver.protocol.secret import Secret
from authserver.realm.outcomes import Refused, TryLater
from authserver.records.client_document import name_client
from authserver.web.context import current_cookies, current_realm
from authserver.web.cookies import Cookie
from authserver.web.limits.tries import TooManyTries, try_sign_in
from authserver.web.pages.blueprint import answer_page, answer_told, read_argument, read_fields
from authserver.web.pages.browser import current_browser, read_device_id
from authserver.web.pages.languages import use_locales
from authserver.web.pages.redirects import go_to
from authserver.web.pages.steps import Done, Errand, Step, View
from authserver.web.pages.visits import open_visit
from authserver.web.pages.words import say_refused, tell_busy, tell_too_many
from authserver.web.source import read_source

PATH: Final = "/login"
_OTHER, _CONTINUE = "other", "continue"
_log = structlog.get_logger(__name__)


def _show() -> View[Missing]:
    """Show the form. A signed-in person may also open it to use another account."""
    return _Form(is_other=read_argument("choice") == _OTHER).view()


def _act(errand: Errand) -> Done | View[Missing] | Response:
    """Verify the password, or apply the choice of an account."""
    fields, browser, pending = read_fields(), current_browser(), errand.pending
    if fields.get("choice") == _OTHER:
        return go_to(PATH, request=errand.token, next=errand.following, choice=_OTHER)
    if fields.get("choice") == _CONTINUE and browser is not None and errand.token:
        return Done(pending.mark(CHOSE, browser.sid))
    email = fields.get("email", "")
    outcome = _sign_in(email, Secret(fields.get("password", "")))
    match outcome:
        case BrowserSignedIn() if errand.token:
            return Done(pending.mark(PROVED, outcome.sid), signed_in=outcome)
        case BrowserSignedIn():
            return Done(pending, signed_in=outcome)
        case Refused():
            is_other = browser is not None and email != browser.user.email
            return _Form(email, say_refused(outcome), is_other=is_other).view()
        case _:
            return outcome


def _choose_entrance(missing: SignInNeeded) -> str:
    """Choose the sign-up page if the request asks for a registration. That page leads back here."""
    return "/signup" if missing.wants_account else PATH


def _open() -> Errand:
    """Open a visit without a request. Sending the form, or asking for another account, forces a sign-in."""
    return open_visit(wants_sign_in=request.method == "POST" or read_argument("choice") == _OTHER)


SIGN_IN: Final = Step(PATH, SignInNeeded, find_missing_sign_in, _show, _act, _choose_entrance, _open)


def _sign_in(email: str, password: Secret) -> BrowserSignedIn | Refused | Response:
    device_id = read_device_id()
    device_token = current_cookies().read(request, Cookie.KNOWN)
    attempt = BrowserSignIn(email, password, device_id, current_browser(), read_source(), device_token)
    outcome = try_sign_in(email, device_id or "", device_token, lambda: sign_in_browser(current_realm(), attempt))
    match outcome:
        case TooManyTries():
            return answer_told(tell_too_many(outcome.retry_after))
        case TryLater():
            return answer_told(tell_busy(outcome.retry_after))
        case _:
            return outcome


@dataclass(frozen=True, slots=True)
class _Form:
    """The content of the form: the e-mail address typed before, its error, and whether it is for another account."""

    email: str = ""
    error: str | None = None
    is_other: bool = False

    def view(self) -> View[Missing]:
        return View(partial(_render, self), is_wanted=self.is_other)


def _render(form: _Form, errand: Errand, missing: Missing) -> Response:
    browser = None if form.is_other else current_browser()
    access = missing.access
    use_locales(None if access is None else access.ui_locales)
    may_choose = isinstance(missing, SignInNeeded) and missing.may_choose
    return answer_page(
        "login.html",
        HTTPStatus.OK if form.error is None else HTTPStatus.UNAUTHORIZED,
        client_name=None if access is None else name_client(access.client.client_id, access.client.name),
        email=form.email or ("" if access is None else access.login_hint),
        error=form.error,
        request_token=errand.token,
        next=errand.following,
        signed_in_as=None if browser is None else browser.user.email,
        offers_continue=may_choose and not form.is_other,
        may_register=current_realm().registration.open,
    )
