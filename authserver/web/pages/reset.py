"""`/reset`: set a new password with a mailed link."""

from http import HTTPStatus

from flask import Response

from authserver.account.mailed_link import find_link
from authserver.account.reset_password import PasswordWasReset
from authserver.protocol.secret import Secret
from authserver.realm.outcomes import Invalid, Refused, TryLater
from authserver.records.field_error import FieldError
from authserver.records.link import LinkPurpose
from authserver.web.context import current_cookies, current_realm
from authserver.web.cookies import Cookie
from authserver.web.limits.tries import reset_by_link
from authserver.web.pages.blueprint import Told, answer_page, answer_told, pages, read_argument, read_fields
from authserver.web.pages.languages import translate
from authserver.web.pages.ways import lead_to_sign_in
from authserver.web.pages.words import say_errors, say_password_rules, say_signed_out, tell_refusal


@pages.get("/reset")
def show_reset() -> Response:
    """Show the form. Opening it changes nothing."""
    token = read_argument("token")
    link = find_link(current_realm(), token, LinkPurpose.RESET_PASSWORD)
    if isinstance(link, Refused | TryLater):
        return answer_told(tell_refusal(link))
    return _answer_form(token)


@pages.post("/reset")
def act_reset() -> Response:
    """Set the password. If it is refused, the page asks again, and the link still works."""
    fields = read_fields()
    token, password = fields.get("token", ""), Secret(fields.get("new_password", ""))
    outcome = reset_by_link(token, password)
    match outcome:
        case Invalid(errors=errors):
            return _answer_form(token, errors)
        case Refused() | TryLater():
            return answer_told(tell_refusal(outcome))
        case PasswordWasReset(receipt=receipt):
            sentences = (say_signed_out(receipt), translate("You can sign in with the new password now."))
            response = answer_told(Told(translate("Your password is changed"), sentences, ways=(lead_to_sign_in(),)))
            current_cookies().give(response, Cookie.KNOWN, outcome.device_token)
            return response


def _answer_form(token: str, errors: tuple[FieldError, ...] = ()) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    said = say_errors(errors, *(error.field for error in errors))
    return answer_page("reset.html", status, token=token, errors=said, rules=say_password_rules())
