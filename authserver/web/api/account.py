"""`/api/account` and `/api/account/sessions`: what the user who asks sees and ends of his own."""

from flask import Response, request

from authserver.accounts.account import find_account
from authserver.accounts.bearer import BearerRefused
from authserver.accounts.outcomes import Refused
from authserver.accounts.sign_out import end_session, list_sessions, sign_out_elsewhere
from authserver.web.api.bearer import SECURITY_SCHEME, load_bearer
from authserver.web.api.blueprint import answer_nothing, api
from authserver.web.api.refusals import NOT_FOUND, OF_BEARERS, document, explain, explain_bearer
from authserver.web.api.shapes import AccountAnswer, RevocationAnswer, SessionAnswer, SessionsAnswer
from authserver.web.context import current_realm
from authserver.web.problem import answer_problem

_ACCOUNT = ["Account"]
_SESSIONS = ["Sessions"]


@api.get("/account")
@api.output(AccountAnswer, description="The user who asks.")
@api.doc(summary="Show the account", tags=_ACCOUNT, security=SECURITY_SCHEME, responses=document(*OF_BEARERS))
def answer_account() -> Response | AccountAnswer:
    """Who the bearer is."""
    user = find_account(current_realm(), load_bearer())
    if user is None:
        return answer_problem(explain_bearer(BearerRefused("session_revoked", soft_logout=False)))
    return AccountAnswer.of(user)


@api.get("/account/sessions")
@api.output(SessionsAnswer, description="The live sessions, last used first.")
@api.doc(summary="List the sessions", tags=_SESSIONS, security=SECURITY_SCHEME, responses=document(*OF_BEARERS))
def answer_sessions() -> SessionsAnswer:
    """The sessions of the bearer's user."""
    bearer = load_bearer()
    summaries = list_sessions(current_realm(), bearer.user_id)
    return SessionsAnswer(sessions=[SessionAnswer.of(summary, bearer.sid) for summary in summaries])


@api.delete("/account/sessions/<sid>")
@api.output({}, 204, description="The session has ended.")
@api.doc(
    summary="End a session",
    description="Repeatable: a session that has ended already gets the same answer.",
    tags=_SESSIONS,
    security=SECURITY_SCHEME,
    responses=document(*OF_BEARERS, NOT_FOUND),
)
def answer_end_session(sid: str) -> Response:
    """End one session of the bearer's user."""
    outcome = end_session(current_realm(), load_bearer(), sid, request.remote_addr or "")
    return answer_problem(explain(outcome)) if isinstance(outcome, Refused) else answer_nothing()


@api.post("/account/sessions/revoke-others")
@api.output(RevocationAnswer, description="All other sessions have ended.")
@api.doc(summary="End all other sessions", tags=_SESSIONS, security=SECURITY_SCHEME, responses=document(*OF_BEARERS))
def answer_revoke_others() -> RevocationAnswer:
    """End all sessions of the bearer's user but the one that asks."""
    return RevocationAnswer.of(sign_out_elsewhere(current_realm(), load_bearer(), request.remote_addr or ""))
