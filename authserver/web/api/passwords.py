"""`/api/account/password`, `/api/password/forgot`, `/api/password/reset`."""

from flask import Response

from authserver.account.change_password import PasswordChange, PasswordWasChanged, change_password
from authserver.account.reset_password import PasswordWasReset, ask_reset
from authserver.authentication.bearer import Bearer
from authserver.authentication.reauthentication import Recent
from authserver.protocol.secret import Secret
from authserver.tokens.token_answer import TokenAnswer
from authserver.web.api.bearer import SECURITY_SCHEME, load_recent_bearer, with_bearer
from authserver.web.api.blueprint import answer_accepted, api
from authserver.web.api.credential_shapes import (
    AcceptedAnswer,
    AddressBody,
    ChangePasswordBody,
    PasswordChangedAnswer,
    ResetAnswer,
    ResetPasswordBody,
)
from authserver.web.api.delivery import keep_device_token, keep_in_cookie, keeps_session
from authserver.web.api.refusals import (
    OF_BODIES,
    OF_LINKS,
    OF_PASSWORDS,
    TOO_MANY_REQUESTS,
    document,
    explain,
    explain_own,
)
from authserver.web.api.tries import count_address
from authserver.web.context import current_realm
from authserver.web.limits.tries import reset_by_link, try_password_change
from authserver.web.problem import answer_problem
from authserver.web.source import read_source

_TAGS = ["Passwords"]


@api.post("/account/password")
@with_bearer(load_recent_bearer("change_password"))
@api.input(
    ChangePasswordBody,
    example={
        "current_password": "correct horse battery staple",
        "new_password": "a stapler for every horse",
        "logout_devices": True,
    },
)
@api.output(
    PasswordChangedAnswer, description="The password is changed. The calling session continues with these tokens only."
)
@api.doc(
    summary="Change the password",
    description=(
        "The calling session is renewed: it gets a new `sid`, and all its earlier tokens are dead. All other"
        " sessions end, unless `logout_devices` is false; then they stay, get 401 with `soft_logout: true` on their"
        " next call, refresh once and go on. If the new password is refused, nothing ends. If the browser has the"
        " session's refresh token in a cookie, the new one is set there, too."
    ),
    tags=_TAGS,
    security=SECURITY_SCHEME,
    responses=document(*OF_BODIES, *OF_PASSWORDS),
)
def answer_change_password(json_data: ChangePasswordBody, bearer: Recent[Bearer]) -> Response | PasswordChangedAnswer:
    """Change the password of the bearer's user."""
    change = PasswordChange(
        current=Secret(json_data.current_password),
        new=Secret(json_data.new_password),
        logout_devices=json_data.logout_devices,
    )
    in_cookie = keeps_session(bearer.asker)
    outcome = try_password_change(bearer, lambda: change_password(current_realm(), bearer, change, read_source()))
    if not isinstance(outcome, PasswordWasChanged):
        return answer_problem(explain_own(outcome))
    if in_cookie and isinstance(outcome.tokens, TokenAnswer):
        keep_in_cookie(bearer.asker.claims.client_id, outcome.tokens)
        keep_device_token(outcome.tokens.device_token)
    return PasswordChangedAnswer.of_change(outcome, in_cookie=in_cookie)


@api.post("/password/forgot")
@api.input(AddressBody, example={"email": "ada@example.org"})
@api.output(AcceptedAnswer, 202, description="If a user has this address, a mail with a link is on its way.")
@api.doc(
    summary="Ask for a link that resets the password",
    description=(
        "The response and its time are the same for known and unknown addresses. A link works once, for 15 minutes;"
        " up to three are valid at a time. The number of mails to one address is limited."
    ),
    tags=_TAGS,
    responses=document(*OF_BODIES, TOO_MANY_REQUESTS),
)
def answer_forgot_password(json_data: AddressBody) -> Response:
    """Queue a request for a reset link."""
    count_address("forgot")
    ask_reset(current_realm(), json_data.email)
    return answer_accepted()


@api.post("/password/reset")
@api.input(ResetPasswordBody, example={"token": "lt_AQ", "new_password": "a stapler for every horse"})
@api.output(ResetAnswer, description="The password is set, and all sessions have ended. Nobody is signed in.")
@api.doc(
    summary="Set a password with a mailed link",
    description=(
        "If the new password is refused, nothing ends and the link stays usable. A reset clears the account's count"
        " of wrong passwords. With `device_token` (a browser also gets it as a cookie) this device has its own"
        " limit, which strangers cannot use up."
    ),
    tags=_TAGS,
    responses=document(*OF_BODIES, *OF_LINKS),
)
def answer_reset_password(json_data: ResetPasswordBody) -> Response | ResetAnswer:
    """Set a new password with a mailed link."""
    password = Secret(json_data.new_password)
    outcome = reset_by_link(json_data.token, password)
    if not isinstance(outcome, PasswordWasReset):
        return answer_problem(explain(outcome))
    keep_device_token(outcome.device_token.reveal())
    return ResetAnswer.of_reset(outcome)
