"""`/account/password`: change the password, and choose whether the other devices stay signed in."""

from http import HTTPStatus

from flask import Response

from authserver.account.change_password import PasswordChange, PasswordWasChangedInBrowser, change_password_in_browser
from authserver.authentication.browser_session import SignedInBrowser
from authserver.authentication.reauthentication import Recent
from authserver.credentials.events import PasswordChanged
from authserver.protocol.secret import Secret
from authserver.realm.outcomes import NOT_FOUND, Invalid, Refused, TryLater
from authserver.records.field_error import FieldError
from authserver.revocation import Receipt
from authserver.web.context import current_realm
from authserver.web.limits.tries import TooManyTries, try_password_change
from authserver.web.pages.account.frame import answer_room, ask_who, with_recent_browser, with_recent_form
from authserver.web.pages.blueprint import answer_told, pages, read_fields
from authserver.web.pages.browser import keep_signed_in
from authserver.web.pages.languages import translate
from authserver.web.pages.words import (
    say_errors,
    say_password_rules,
    say_refused,
    say_signed_out,
    tell_busy,
    tell_too_many,
)
from authserver.web.source import read_source

PATH = "/account/password"


@pages.get(PATH)
@with_recent_browser
def show_password(browser: SignedInBrowser) -> Response:
    """Show the form. Signing out the other devices is preselected."""
    return _answer_form(browser, logout_devices=True)


@pages.post(PATH)
@with_recent_form("change_password")
def act_password(recent: Recent[SignedInBrowser]) -> Response:
    """Change the password and give the browser a new session cookie. A refused password ends nothing."""
    change = _read_change(read_fields())
    outcome = try_password_change(
        recent, lambda: change_password_in_browser(current_realm(), recent, change, read_source())
    )
    if isinstance(outcome, PasswordWasChangedInBrowser):
        return keep_signed_in(_answer_changed(recent.asker, outcome.receipt), outcome.signed_in)
    return _answer_failed(recent.asker, change, outcome)


def _read_change(fields: dict[str, str]) -> PasswordChange:
    """Read the form. An unticked box sends nothing, so it counts as a choice only if the form says that it had one."""
    return PasswordChange(
        current=Secret(fields.get("current_password", "")),
        new=Secret(fields.get("new_password", "")),
        logout_devices="logout_devices" in fields or "may_choose" not in fields,
    )


def _answer_failed(
    browser: SignedInBrowser,
    change: PasswordChange,
    outcome: Refused | Invalid | TryLater | TooManyTries,
) -> Response:
    match outcome:
        case Invalid(errors=errors):
            return _answer_form(browser, errors, HTTPStatus.UNPROCESSABLE_ENTITY, logout_devices=change.logout_devices)
        case Refused(code=code) if code != NOT_FOUND:
            error = FieldError("current_password", code, say_refused(outcome))
            return _answer_form(browser, (error,), HTTPStatus.FORBIDDEN, logout_devices=change.logout_devices)
        case Refused():
            return ask_who(PATH)
        case TryLater():
            return answer_told(tell_busy(outcome.retry_after))
        case TooManyTries():
            return answer_told(tell_too_many(outcome.retry_after))


def _answer_form(
    browser: SignedInBrowser,
    errors: tuple[FieldError, ...] = (),
    status: HTTPStatus = HTTPStatus.OK,
    *,
    logout_devices: bool,
    done: tuple[str, ...] = (),
) -> Response:
    return answer_room(
        browser,
        "account_password.html",
        PATH,
        status,
        errors={name: say_errors(errors, name) for name in ("current_password", "new_password")},
        rules=say_password_rules(),
        may_choose=current_realm().revocation.policy.row(PasswordChanged).client_may_choose,
        logout_devices=logout_devices,
        done=done,
    )


def _answer_changed(browser: SignedInBrowser, receipt: Receipt) -> Response:
    sentences = (
        translate("Your password is changed."),
        say_signed_out(receipt, with_this=True),
        translate("Apps that you opened in this browser keep working without asking you."),
    )
    return _answer_form(browser, logout_devices=True, done=sentences)
