"""`/forgot`: ask for a link that resets the password. Whether the address is known only the mail tells."""

from http import HTTPStatus
from typing import Final

from flask import Response, request

from authserver.accounts.reset_password import ask_reset
from authserver.credentials.links import LinkPurpose
from authserver.mail.compose import say_lifetime
from authserver.web.context import current_realm
from authserver.web.oauth.form import read_form
from authserver.web.pages.blueprint import Told, answer_page, answer_told, pages
from authserver.web.pages.words import tell_too_many
from authserver.web.tries import hit_address

ASKED: Final = Told(
    "Look into your mailbox",
    (
        "If there is an account with this address, a mail with a link is on its way.",
        f"The link works for {say_lifetime(LinkPurpose.RESET_PASSWORD.lifetime)}.",
        "No mail? Look among the unwanted ones, and check the address.",
    ),
    HTTPStatus.ACCEPTED,
)


@pages.get("/forgot")
def show_forgot() -> Response:
    """The form."""
    return answer_page("forgot.html")


@pages.post("/forgot")
def act_forgot() -> Response:
    """Queue the wish."""
    wait = hit_address("forgot")
    if wait is not None:
        return answer_told(tell_too_many(wait))
    form = read_form(request)
    ask_reset(current_realm(), form.get("email", "") if isinstance(form, dict) else "")
    return answer_told(ASKED)
