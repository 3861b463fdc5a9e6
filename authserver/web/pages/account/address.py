"""`/account/email`: change the e-mail address. A new address takes effect when the link mailed to it is used."""

from http import HTTPStatus

from flask import Response

from authserver.authentication.browser_session import SignedInBrowser
from authserver.authentication.reauthentication import Recent
from authserver.protocol.secret import Secret
from authserver.realm.outcomes import NOT_FOUND, Invalid, Refused, TryLater
from authserver.records.field_error import FieldError
from authserver.records.link import LinkPurpose
from authserver.web.limits.tries import TooManyTries, ask_new_address
from authserver.web.pages.account.frame import answer_room, ask_who, with_recent_browser, with_recent_form
from authserver.web.pages.account.profile import PATH as HOME
from authserver.web.pages.blueprint import answer_told, pages, read_fields
from authserver.web.pages.languages import translate
from authserver.web.pages.words import say_duration, say_errors, say_refused, tell_busy, tell_too_many

PATH = "/account/email"


@pages.get(PATH)
@with_recent_browser
def show_email(browser: SignedInBrowser) -> Response:
    """Show the form."""
    return _answer_form(browser)


@pages.post(PATH)
@with_recent_form("change_email")
def act_email(recent: Recent[SignedInBrowser]) -> Response:
    """Mail the links. The page does not reveal whether the address belongs to another user; only the mail does."""
    fields = read_fields()
    new_email, password = fields.get("new_email", ""), Secret(fields.get("current_password", ""))
    browser, outcome = recent.asker, ask_new_address(recent, new_email, password)
    match outcome:
        case None:
            return _answer_sent(browser, new_email)
        case Invalid(errors=errors):
            return _answer_form(browser, new_email, errors, HTTPStatus.UNPROCESSABLE_ENTITY)
        case Refused(code=code) if code != NOT_FOUND:
            error = FieldError("current_password", code, say_refused(outcome))
            return _answer_form(browser, new_email, (error,), HTTPStatus.FORBIDDEN)
        case Refused():
            return ask_who(PATH)
        case TryLater():
            return answer_told(tell_busy(outcome.retry_after))
        case TooManyTries():
            return answer_told(tell_too_many(outcome.retry_after))


def _answer_form(
    browser: SignedInBrowser,
    new_email: str = "",
    errors: tuple[FieldError, ...] = (),
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    return answer_room(
        browser,
        "account_email.html",
        HOME,
        status,
        new_email=new_email,
        errors={name: say_errors(errors, name) for name in ("new_email", "current_password")},
        sent_to="",
        sentences=[],
    )


def _answer_sent(browser: SignedInBrowser, new_email: str) -> Response:
    lifetime = say_duration(LinkPurpose.CHANGE_EMAIL.lifetime)
    return answer_room(
        browser,
        "account_email.html",
        HOME,
        HTTPStatus.ACCEPTED,
        new_email=new_email,
        errors={},
        sent_to=new_email,
        sentences=[
            translate("The link works for %(lifetime)s.", lifetime=lifetime),
            translate("When you use it, your address changes and all your other devices are signed out."),
            translate("Until then nothing changes. We also sent a notice to your current address."),
        ],
    )
