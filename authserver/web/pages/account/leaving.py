"""`/account/export` and `/account/delete`: download all data about the user, and delete the account."""

from http import HTTPStatus

from flask import Response, request

from authserver.account.own_account import AccountExport, delete_account, export_account
from authserver.authentication.browser_session import SignedInBrowser
from authserver.authentication.reauthentication import Recent, demand_recent
from authserver.protocol.secret import Secret
from authserver.realm.outcomes import NOT_FOUND, Reauthenticate, Refused, TryLater
from authserver.web.answers import ExportAnswer
from authserver.web.context import current_cookies, current_realm
from authserver.web.cookies import Cookie
from authserver.web.limits.tries import TooManyTries, try_password
from authserver.web.pages.account.frame import answer_room, ask_who, with_browser, with_recent_browser, with_recent_form
from authserver.web.pages.account.profile import PATH as HOME
from authserver.web.pages.blueprint import Told, answer_told, pages, read_fields
from authserver.web.pages.languages import translate
from authserver.web.pages.ways import lead_back_to_sign_in
from authserver.web.pages.words import say_refused, tell_busy, tell_too_many

PATH = "/account/delete"


@pages.post("/account/export")
@with_browser
def act_export(browser: SignedInBrowser) -> Response:
    """Answer with a file of all stored data about the user. It is a POST, so that no foreign link can fetch it."""
    recent = demand_recent(current_realm(), browser, "export_account", request.remote_addr)
    outcome = recent if isinstance(recent, Reauthenticate) else export_account(current_realm(), recent)
    if not isinstance(outcome, AccountExport):
        return ask_who(HOME)
    content = ExportAnswer.of(outcome, browser.sid).model_dump_json(indent=2)
    response = Response(content, content_type="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="account.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.get(PATH)
@with_recent_browser
def show_delete(browser: SignedInBrowser) -> Response:
    """Show the question and the form."""
    return _answer_form(browser)


@pages.post(PATH)
@with_recent_form("delete_account")
def act_delete(recent: Recent[SignedInBrowser]) -> Response:
    """Delete the account, if the password is right."""
    password, ip = Secret(read_fields().get("current_password", "")), request.remote_addr or ""
    outcome = try_password(recent, lambda: delete_account(current_realm(), recent, password, ip))
    match outcome:
        case Refused(code=code) if code != NOT_FOUND:
            return _answer_form(recent.asker, [say_refused(outcome)], HTTPStatus.FORBIDDEN)
        case Refused():
            return ask_who(PATH)
        case TryLater():
            return answer_told(tell_busy(outcome.retry_after))
        case TooManyTries():
            return answer_told(tell_too_many(outcome.retry_after))
        case _:
            response = answer_told(_tell_deleted())
            current_cookies().take_back(response, Cookie.SESSION)
            current_cookies().take_back(response, Cookie.DEVICE)
            current_cookies().take_back(response, Cookie.KNOWN)
            return response


def _answer_form(
    browser: SignedInBrowser, errors: list[str] | None = None, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    return answer_room(browser, "account_delete.html", HOME, status, errors=errors or [])


def _tell_deleted() -> Told:
    sentences = (
        translate("All devices and apps are signed out."),
        translate("It cannot be restored. Thank you for being with us."),
    )
    return Told(translate("Your account was deleted"), sentences, ways=(lead_back_to_sign_in(),))
