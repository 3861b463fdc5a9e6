"""`/api/account/sessions`: list and end the sessions of the calling user."""

from flask import Response, request
from werkzeug.routing import BaseConverter

from authserver.authentication.sign_out import end_session, list_sessions, sign_out_elsewhere
from authserver.realm.outcomes import Reauthenticate
from authserver.revocation import Receipt
from authserver.web.answers import SessionAnswer
from authserver.web.api.bearer import SECURITY_SCHEME, load_bearer
from authserver.web.api.blueprint import answer_nothing, api
from authserver.web.api.refusals import NOT_FOUND, OF_BEARERS, OF_SENSITIVE, document, explain
from authserver.web.api.shapes import RevocationAnswer, SessionsAnswer
from authserver.web.context import current_realm
from authserver.web.problem import answer_problem

_TAGS = ["Sessions"]


class SessionId(BaseConverter):
    """A session id in a path. It is no call of this file, or `Allow` would offer to end a session of that name."""

    regex = r"(?!revoke-others\Z)[^/]+"
    part_isolating = True


@api.get("/account/sessions")
@api.output(SessionsAnswer, description="The live sessions, most recently used first.")
@api.doc(summary="List the sessions", tags=_TAGS, security=SECURITY_SCHEME, responses=document(*OF_BEARERS))
def answer_sessions() -> SessionsAnswer:
    """List the sessions of the bearer's user."""
    bearer = load_bearer()
    summaries = list_sessions(current_realm(), bearer.user_id)
    return SessionsAnswer(sessions=[SessionAnswer.of(summary, bearer.sid) for summary in summaries])


@api.delete("/account/sessions/<session_id:sid>")
@api.output({}, 204, description="The session has ended.")
@api.doc(
    summary="End a session",
    description=(
        "Repeatable: a session that has already ended gets the same response. Ending another session than the"
        " calling one needs a recent sign-in."
    ),
    tags=_TAGS,
    security=SECURITY_SCHEME,
    responses=document(*OF_SENSITIVE, NOT_FOUND),
)
def answer_end_session(sid: str) -> Response:
    """End one session of the bearer's user."""
    outcome = end_session(current_realm(), load_bearer(), sid, request.remote_addr or "")
    return answer_nothing() if isinstance(outcome, Receipt) else answer_problem(explain(outcome))


@api.post("/account/sessions/revoke-others")
@api.output(RevocationAnswer, description="All other sessions have ended.")
@api.doc(
    summary="End all other sessions",
    description="Needs a recent sign-in.",
    tags=_TAGS,
    security=SECURITY_SCHEME,
    responses=document(*OF_SENSITIVE),
)
def answer_revoke_others() -> Response | RevocationAnswer:
    """End all sessions of the bearer's user except the calling one."""
    outcome = sign_out_elsewhere(current_realm(), load_bearer(), request.remote_addr or "")
    if isinstance(outcome, Reauthenticate):
        return answer_problem(explain(outcome))
    return RevocationAnswer.of(outcome)
