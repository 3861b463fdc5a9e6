"""The pages behind mailed links: `/email/confirm`, `/email/revert`, `/not-me`.

Each asks one question and has one button. Opening a page changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Response, request

from authserver.account.change_email import report_compromise, revert_email
from authserver.account.confirm_address import confirm_email, find_confirmation, refuse_registration
from authserver.account.mailed_link import find_link
from authserver.realm import Realm
from authserver.realm.outcomes import Refused, TryLater
from authserver.records.link import LinkPurpose
from authserver.records.registration import PendingRegistration
from authserver.revocation import Receipt
from authserver.web.context import current_realm
from authserver.web.pages.blueprint import Told, answer_page, answer_told, pages, read_argument, read_fields
from authserver.web.pages.languages import mark, translate
from authserver.web.pages.ways import Way, lead_back_to_sign_in, lead_to_reset, lead_to_sign_in
from authserver.web.pages.words import say_signed_out, tell_refusal

_RESET_COMES: Final = mark("A mail with a link to choose a new password is on its way to you.")


@dataclass(frozen=True, slots=True)
class Question:
    """A page with a question, and what its button does.

    Attributes:
        purpose: the purpose of its links; it names the path.
        find: finds the live link behind a token, or the refusal.
        title: the question. The title, the sentences and the button are in English here and translated later.
        sentences: what the button will do.
        button: the label of the button.
        act: uses up the link. It takes the realm, the token, and the address of the request.
        tell: makes the page that says what happened.
    """

    purpose: LinkPurpose
    find: Callable[[Realm, str], object]
    title: str
    sentences: tuple[str, ...]
    button: str
    act: Callable[[Realm, str, str], Receipt | Refused | TryLater | None]
    tell: Callable[[Receipt | None], Told]


def _tell_confirmed(receipt: Receipt | None) -> Told:
    if receipt is None:
        title = translate("Your e-mail address is confirmed")
        return Told(title, (translate("You can sign in now."),), ways=(lead_to_sign_in(),))
    sentences = (say_signed_out(receipt), translate("We sent a notice to your earlier address."))
    return Told(translate("Your e-mail address is changed"), sentences)


def _tell_reverted(receipt: Receipt | None) -> Told:
    first = translate("Your account has its earlier e-mail address again.")
    sentences = (first, *_say_ended(receipt), translate(_RESET_COMES))
    return Told(translate("The change was undone"), sentences, ways=_lead_on_from_reset())


def _tell_reported(receipt: Receipt | None) -> Told:
    last = (translate("The old password no longer works."), translate(_RESET_COMES))
    return Told(translate("All devices were signed out"), (*_say_ended(receipt), *last), ways=_lead_on_from_reset())


def _lead_on_from_reset() -> tuple[Way, ...]:
    """Make the links for a person who waits for a reset mail, which may not come, or whose link may expire."""
    return (lead_back_to_sign_in(), lead_to_reset())


def _say_ended(receipt: Receipt | None) -> tuple[str, ...]:
    return () if receipt is None else (say_signed_out(receipt),)


QUESTIONS: Final = (
    Question(
        LinkPurpose.CONFIRM_EMAIL,
        find_confirmation,
        mark("Is this address yours?"),
        (mark("You opened the link from our mail. Confirm that you want this address for your account."),),
        mark("Confirm"),
        confirm_email,
        _tell_confirmed,
    ),
    Question(
        LinkPurpose.REVERT_EMAIL,
        lambda realm, token: find_link(realm, token, LinkPurpose.REVERT_EMAIL),
        mark("Undo the change of your address?"),
        (
            mark("This makes the address that received this link the address of your account again."),
            mark(
                "It also signs out all devices and disables the password, because the person who made the change knew"
                " it."
            ),
            mark("You will get a mail with a link to choose a new password."),
        ),
        mark("Undo the change"),
        revert_email,
        _tell_reverted,
    ),
    Question(
        LinkPurpose.NOT_ME,
        lambda realm, token: find_link(realm, token, LinkPurpose.NOT_ME),
        mark("Was this not you?"),
        (
            mark("This signs out all devices, including this one, and disables the password."),
            mark("It also undoes changes of your e-mail address that were made after the mail."),
            mark("You will get a mail with a link to choose a new password."),
        ),
        mark("This was not me"),
        report_compromise,
        _tell_reported,
    ),
)


_DISOWN: Final = mark("I did not ask for this account")


def _disown(token: str) -> Response:
    """Delete a registration that the owner of the address did not make."""
    outcome = refuse_registration(current_realm(), token)
    if outcome is not None:
        return answer_told(tell_refusal(outcome))
    sentences = (
        translate("The link no longer works, and no account was created."),
        translate("If somebody asks again, you get another mail. You do not have to do anything."),
    )
    return answer_told(Told(translate("The registration is deleted"), sentences))


def _serve(question: Question) -> None:
    def show() -> Response:
        token = read_argument("token")
        link = question.find(current_realm(), token)
        if isinstance(link, Refused | TryLater):
            return answer_told(tell_refusal(link))
        disown = _DISOWN if isinstance(link, PendingRegistration) else None
        return answer_page("question.html", question=question, token=token, disown=disown)

    def act() -> Response:
        fields = read_fields()
        token = fields.get("token", "")
        if question.purpose is LinkPurpose.CONFIRM_EMAIL and "disown" in fields:
            return _disown(token)
        outcome = question.act(current_realm(), token, request.remote_addr or "")
        if isinstance(outcome, Refused | TryLater):
            return answer_told(tell_refusal(outcome))
        return answer_told(question.tell(outcome))

    purpose = question.purpose
    pages.add_url_rule(purpose.path, purpose.value, show, methods=["GET"])
    pages.add_url_rule(purpose.path, f"act_{purpose.value}", act, methods=["POST"])


for _question in QUESTIONS:
    _serve(_question)
