"""`/forgot`: ask for a link that resets the password. The page does not reveal whether the address is known."""

from http import HTTPStatus

from flask import Response

from authserver.account.reset_password import ask_reset
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
from authserver.web.pages.ways import lead_back_to_sign_in, lead_to_another_mail
from authserver.web.pages.words import say_duration, tell_too_many


@pages.get("/forgot")
@carry_requests
def show_forgot() -> Response:
    """Show the form."""
    return answer_page("forgot.html", email="", request_token=read_argument("request"))


@pages.post("/forgot")
@carry_requests
def act_forgot() -> Response:
    """Queue the request for a link."""
    over = count_address("forgot")
    if over is not None:
        return answer_told(tell_too_many(over.retry_after))
    fields = read_fields()
    ask_reset(current_realm(), fields.get("email", ""))
    return answer_told(_tell_asked(fields.get("request", "")))


def _tell_asked(request_token: str) -> Told:
    lifetime = say_duration(LinkPurpose.RESET_PASSWORD.lifetime)
    return Told(
        translate("Check your inbox"),
        (
            translate("If there is an account with this address, a mail with a link is on its way."),
            translate("The link works for at least %(lifetime)s.", lifetime=lifetime),
            translate("After several requests, the next mail takes a while. Use the link in the newest mail."),
            translate("No mail? Check your spam folder, and check the address for typos."),
        ),
        HTTPStatus.ACCEPTED,
        (lead_back_to_sign_in(request_token), lead_to_another_mail("/forgot", request_token)),
    )
