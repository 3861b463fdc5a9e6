"""`/signup`: register a user. If addresses have to be confirmed, the page does not reveal whether one is taken."""

from http import HTTPStatus

from flask import Response, request

from authserver.account.register import Awaited, Registered, register
from authserver.protocol.secret import Secret
from authserver.realm.outcomes import EMAIL_TAKEN, Invalid, Refused, TryLater
from authserver.records.field_error import FieldError
from authserver.records.link import LinkPurpose
from authserver.web.context import current_realm
from authserver.web.limits.tries import count_address
from authserver.web.pages.blueprint import (
    Told,
    answer_page,
    answer_told,
    carry_requests,
    pages,
    read_argument,
    read_fields,
)
from authserver.web.pages.languages import translate
from authserver.web.pages.ways import lead_back_to_sign_in, lead_to_another_mail, lead_to_sign_in
from authserver.web.pages.words import (
    say_duration,
    say_errors,
    say_password_rules,
    say_refused,
    tell_busy,
    tell_too_many,
)


@pages.get("/signup")
@carry_requests
def show_signup() -> Response:
    """Show the form, or say that registration is closed."""
    if not current_realm().registration.open:
        return answer_told(_tell_closed())
    return _answer_form({"request": read_argument("request")})


@pages.post("/signup")
@carry_requests
def act_signup() -> Response:
    """Register. If the input is refused, the form is shown again with all that was typed, except the password."""
    over = count_address("register")
    if over is not None:
        return answer_told(tell_too_many(over.retry_after))
    fields = read_fields()
    outcome = register(
        current_realm(),
        email=fields.get("email", ""),
        password=Secret(fields.get("password", "")),
        name=fields.get("name", ""),
        ip=request.remote_addr,
    )
    return _answer(outcome, fields)


def _answer(outcome: Registered | Awaited | Refused | Invalid | TryLater, fields: dict[str, str]) -> Response:
    match outcome:
        case Registered():
            ways = (lead_to_sign_in(fields.get("request", "")),)
            return answer_told(Told(translate("Welcome"), (translate("You can sign in now."),), ways=ways))
        case Awaited():
            return answer_told(_tell_awaited(fields.get("request", "")))
        case Invalid(errors=errors):
            return _answer_form(fields, errors)
        case Refused(code=code) if code == EMAIL_TAKEN:
            return _answer_form(fields, (FieldError("email", code, say_refused(outcome)),), HTTPStatus.CONFLICT)
        case Refused():
            return answer_told(_tell_closed())
        case TryLater():
            return answer_told(tell_busy(outcome.retry_after))


def _answer_form(
    typed: dict[str, str],
    errors: tuple[FieldError, ...] = (),
    status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY,
) -> Response:
    said = {field: say_errors(errors, field) for field in ("email", "name", "password")}
    return answer_page(
        "signup.html",
        status if errors else HTTPStatus.OK,
        email=typed.get("email", ""),
        name=typed.get("name", ""),
        request_token=typed.get("request", ""),
        errors=said,
        is_refused=bool(errors),
        rules=say_password_rules(),
    )


def _tell_awaited(request_token: str) -> Told:
    lifetime = say_duration(LinkPurpose.CONFIRM_EMAIL.lifetime)
    return Told(
        translate("Check your inbox"),
        (
            translate("A mail is on its way to you. Open the link in it to confirm your address, then sign in."),
            translate("The link works for %(lifetime)s.", lifetime=lifetime),
            translate("No mail? Check your spam folder, and check the address for typos."),
        ),
        HTTPStatus.ACCEPTED,
        (lead_back_to_sign_in(request_token), lead_to_another_mail("/signup", request_token)),
    )


def _tell_closed() -> Told:
    return Told(
        translate("Registration is closed"),
        (
            translate("You cannot create an account here at the moment. Ask the people who run this service for one."),
            translate("If you already have an account, you can sign in."),
        ),
        HTTPStatus.FORBIDDEN,
        (lead_to_sign_in(),),
    )
