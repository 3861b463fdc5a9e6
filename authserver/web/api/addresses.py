"""`/api/account/email`, `/api/email/…`, and `/api/account/compromised`, the "This was not me" link of a mail."""

from flask import Response, request

from authserver.account.change_email import report_compromise, revert_email
from authserver.account.confirm_address import confirm_email
from authserver.account.register import ask_confirmation
from authserver.authentication.bearer import Bearer
from authserver.authentication.reauthentication import Recent
from authserver.protocol.secret import Secret
from authserver.realm.outcomes import Refused, TryLater
from authserver.revocation import Receipt
from authserver.web.api.bearer import SECURITY_SCHEME, load_recent_bearer, with_bearer
from authserver.web.api.blueprint import answer_accepted, api
from authserver.web.api.credential_shapes import (
    AcceptedAnswer,
    AddressBody,
    ChangeEmailBody,
    ConfirmedAnswer,
    LinkBody,
)
from authserver.web.api.refusals import (
    EMAIL_TAKEN,
    OF_BODIES,
    OF_LINKS,
    OF_PASSWORDS,
    TOO_MANY_REQUESTS,
    document,
    explain,
    explain_own,
)
from authserver.web.api.shapes import RevocationAnswer
from authserver.web.api.tries import count_address
from authserver.web.context import current_realm
from authserver.web.limits.tries import ask_new_address
from authserver.web.problem import answer_problem

_TAGS = ["E-mail addresses"]
_TOKEN = {"token": "lt_AQ"}


@api.post("/account/email")
@with_bearer(load_recent_bearer("change_email"))
@api.input(
    ChangeEmailBody, example={"new_email": "ada@example.net", "current_password": "correct horse battery staple"}
)
@api.output(AcceptedAnswer, 202, description="Mails to both addresses are queued.")
@api.doc(
    summary="Change the e-mail address",
    description=(
        "The new address gets a link that makes it the address of the account. The old address gets a mail now and"
        " another after the change, with a link that undoes it for 7 days. Only the mail to the new address says"
        " whether it belongs to another account."
    ),
    tags=_TAGS,
    security=SECURITY_SCHEME,
    responses=document(*OF_BODIES, *OF_PASSWORDS),
)
def answer_change_email(json_data: ChangeEmailBody, bearer: Recent[Bearer]) -> Response:
    """Mail the links for a change of address."""
    refusal = ask_new_address(bearer, json_data.new_email, Secret(json_data.current_password))
    return answer_accepted() if refusal is None else answer_problem(explain_own(refusal))


@api.post("/email/confirm")
@api.input(LinkBody, example=_TOKEN)
@api.output(ConfirmedAnswer, description="The address is confirmed: that of a new user, or the new address of a user.")
@api.doc(
    summary="Confirm an address with a mailed link",
    description=(
        "The link of a registration creates the account, with the password and the name of that registration; all"
        " other registrations of the address end. After a change of address all other sessions end; the session that"
        " asked for it refreshes once and goes on."
    ),
    tags=_TAGS,
    responses=document(*OF_BODIES, *OF_LINKS, EMAIL_TAKEN),
)
def answer_confirm_email(json_data: LinkBody) -> Response | ConfirmedAnswer:
    """Confirm an address."""
    outcome = confirm_email(current_realm(), json_data.token, request.remote_addr or "")
    if isinstance(outcome, Refused | TryLater):
        return answer_problem(explain(outcome))
    return ConfirmedAnswer.of(outcome)


@api.post("/email/revert")
@api.input(LinkBody, example=_TOKEN)
@api.output(RevocationAnswer, description="The earlier address is restored, and all sessions have ended.")
@api.doc(
    summary="Undo a change of address",
    description=(
        "With the link that was mailed to the earlier address. The account counts as stolen: no password works before"
        " a reset, whose link is mailed to this address alone."
    ),
    tags=_TAGS,
    responses=document(*OF_BODIES, *OF_LINKS, EMAIL_TAKEN),
)
def answer_revert_email(json_data: LinkBody) -> Response | RevocationAnswer:
    """Undo a change of address."""
    return _answer(revert_email(current_realm(), json_data.token, request.remote_addr or ""))


@api.post("/email/resend")
@api.input(AddressBody, example={"email": "ada@example.org"})
@api.output(AcceptedAnswer, 202, description="If this address is waiting for confirmation, a mail is on its way.")
@api.doc(
    summary="Ask for a new confirmation link",
    description=(
        "The response and its time are the same for known and unknown addresses. If an account has the address"
        " without having confirmed it, the link lets the owner choose a new password for that account."
    ),
    tags=_TAGS,
    responses=document(*OF_BODIES, TOO_MANY_REQUESTS),
)
def answer_resend_confirmation(json_data: AddressBody) -> Response:
    """Queue a request for another confirmation mail."""
    count_address("resend")
    ask_confirmation(current_realm(), json_data.email)
    return answer_accepted()


@api.post("/account/compromised")
@api.input(LinkBody, example=_TOKEN)
@api.output(RevocationAnswer, description="All sessions have ended, and no password works before a reset.")
@api.doc(
    summary='Say "this was not me"',
    description=(
        "With the link of a notification. Everything ends, changes of address are taken back, and the link for a new"
        " password is mailed to the address that the notification was sent to."
    ),
    tags=_TAGS,
    responses=document(*OF_BODIES, *OF_LINKS, EMAIL_TAKEN),
)
def answer_report_compromise(json_data: LinkBody) -> Response | RevocationAnswer:
    """Report an account as stolen."""
    return _answer(report_compromise(current_realm(), json_data.token, request.remote_addr or ""))


def _answer(outcome: Receipt | Refused | TryLater) -> Response | RevocationAnswer:
    return RevocationAnswer.of(outcome) if isinstance(outcome, Receipt) else answer_problem(explain(outcome))
