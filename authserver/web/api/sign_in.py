"""`/api/register`, `/api/login`, `/api/logout`, `/api/logout/all`."""

import structlog
from flask import Response, request

from authserver.account.register import Awaited, Registered, register
from authserver.authentication.open_session import DeviceClaim
from authserver.authentication.sign_in import SignIn, sign_in
from authserver.authentication.sign_out import sign_out, sign_out_everywhere
from authserver.protocol.secret import Secret
from authserver.tokens.token_answer import TokenAnswer
from authserver.web.api.bearer import SECURITY_SCHEME, load_bearer_signing_out
from authserver.web.api.blueprint import answer_accepted, answer_nothing, api
from authserver.web.api.delivery import (
    find_fault,
    forget_session,
    forget_user,
    keep_device_token,
    keep_in_cookie,
    read_device_token,
)
from authserver.web.api.refusals import (
    ACCEPTED,
    BUSY,
    CROSS_SITE,
    EMAIL_NOT_VERIFIED,
    EMAIL_TAKEN,
    FOREIGN_ORIGIN,
    INVALID_CREDENTIALS,
    INVALID_SCOPE,
    OF_BEARERS,
    OF_BODIES,
    OF_PROOFS,
    REGISTRATION_CLOSED,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED_CLIENT,
    document,
    explain,
    refuse,
)
from authserver.web.api.shapes import LoginBody, RegisterBody, RegisteredAnswer, TokensAnswer
from authserver.web.api.tries import count_address
from authserver.web.authorization import read_dpop
from authserver.web.context import current_realm
from authserver.web.limits.tries import try_sign_in
from authserver.web.problem import ProblemError, answer_problem
from authserver.web.source import read_source

_log = structlog.get_logger(__name__)
_TAGS = ["Sign-in"]
_EXAMPLE = {"email": "ada@example.org", "password": "correct horse battery staple"}


@api.post("/register")
@api.input(RegisterBody, example={**_EXAMPLE, "name": "Ada"})
@api.output(RegisteredAnswer, 201, description="Registered.")
@api.doc(
    summary="Register",
    description=(
        "If addresses must be confirmed, the response is 202 for a free and for a taken address, and a mail has the"
        " result. Otherwise it is 201 or 409."
    ),
    tags=_TAGS,
    responses=document(*OF_BODIES, REGISTRATION_CLOSED, EMAIL_TAKEN, TOO_MANY_REQUESTS, BUSY) | {202: ACCEPTED},
)
def answer_register(json_data: RegisterBody) -> Response | RegisteredAnswer:
    """Register a user."""
    count_address("register")
    password = Secret(json_data.password)
    outcome = register(
        current_realm(), email=json_data.email, password=password, name=json_data.name, ip=request.remote_addr
    )
    if isinstance(outcome, Awaited):
        return answer_accepted()
    if not isinstance(outcome, Registered):
        return answer_problem(explain(outcome))
    return RegisteredAnswer(user_id=outcome.user_id)


@api.post("/login")
@api.input(LoginBody, example={**_EXAMPLE, "device_name": "Laptop"})
@api.output(TokensAnswer, description="Signed in.")
@api.doc(
    summary="Sign in",
    description=(
        "An unknown address, a wrong password, a locked and a disabled user get the same response. Attempts are counted"
        " per account and per network address; a device that sends its `device_token` has its own count, which"
        " strangers"
        ' cannot use up. With `"delivery": "cookie"` the page must have an origin of the client, and be on the site of'
        " this server. With a `DPoP` header (RFC 9449) the tokens are bound to its key."
    ),
    tags=_TAGS,
    responses=document(
        *OF_BODIES,
        *OF_PROOFS,
        INVALID_SCOPE,
        INVALID_CREDENTIALS,
        UNAUTHORIZED_CLIENT,
        FOREIGN_ORIGIN,
        CROSS_SITE,
        EMAIL_NOT_VERIFIED,
        TOO_MANY_REQUESTS,
        BUSY,
    ),
)
def answer_login(json_data: LoginBody) -> Response | TokensAnswer:
    """Sign in with a password."""
    if json_data.in_cookie:
        _refuse_lost_cookie(json_data.client_id)
    device_token = Secret(json_data.device_token) if json_data.device_token else read_device_token()
    attempt = SignIn(
        email=json_data.email,
        password=Secret(json_data.password),
        client_id=json_data.client_id,
        scope=json_data.scope or None,
        device=DeviceClaim(json_data.device_id or None, json_data.device_name or None),
        source=read_source(),
        device_token=device_token,
        dpop=read_dpop(current_realm(), request),
    )
    outcome = try_sign_in(json_data.email, json_data.device_id, device_token, lambda: sign_in(current_realm(), attempt))
    if not isinstance(outcome, TokenAnswer):
        return answer_problem(explain(outcome))
    if json_data.in_cookie:
        keep_in_cookie(json_data.client_id, outcome)
        keep_device_token(outcome.device_token)
    return TokensAnswer.of(outcome, in_cookie=json_data.in_cookie)


def _refuse_lost_cookie(client_id: str) -> None:
    """Raise a `ProblemError` if the page may not use the cookie: nobody could ever refresh its new session."""
    client = current_realm().clients.find(client_id)
    fault = None if client is None or not client.first_party else find_fault(client)
    if fault is not None:
        _log.info(fault.code, client_id=client_id, origin=request.headers.get("Origin"), ip=request.remote_addr)
        raise ProblemError(refuse(fault))


@api.post("/logout")
@api.output({}, 204, description="The session has ended.")
@api.doc(
    summary="Sign out",
    description=(
        "Ends the calling session. Also works with an access token that is softly logged out, or that expired less"
        " than 24 hours ago."
    ),
    tags=_TAGS,
    security=SECURITY_SCHEME,
    responses=document(*OF_BEARERS),
)
def answer_logout() -> Response:
    """Sign out of this session."""
    bearer = load_bearer_signing_out()
    sign_out(current_realm(), bearer, request.remote_addr or "")
    return forget_session(answer_nothing(), bearer)


@api.post("/logout/all")
@api.output({}, 204, description="All sessions have ended.")
@api.doc(
    summary="Sign out everywhere",
    description="Ends all sessions of the user. Accepts the same access tokens as signing out of one session.",
    tags=_TAGS,
    security=SECURITY_SCHEME,
    responses=document(*OF_BEARERS),
)
def answer_logout_all() -> Response:
    """Sign out of all sessions."""
    bearer = load_bearer_signing_out()
    sign_out_everywhere(current_realm(), bearer, request.remote_addr or "")
    return forget_user(answer_nothing(), bearer)
