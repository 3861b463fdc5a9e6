"""`/api/account`: show, change, export and delete the account of the calling user."""

from flask import Response, request

from authserver.account.account import find_account
from authserver.account.own_account import AccountExport, delete_account, export_account
from authserver.account.profile import change_profile
from authserver.authentication.bearer import Bearer
from authserver.authentication.reauthentication import Recent
from authserver.protocol.secret import Secret
from authserver.records.presence import BearerRefused
from authserver.records.user import Profile, User
from authserver.revocation import Receipt
from authserver.web.answers import AccountAnswer, ExportAnswer
from authserver.web.api.bearer import SECURITY_SCHEME, load_bearer, load_recent_bearer, with_bearer
from authserver.web.api.blueprint import answer_nothing, api
from authserver.web.api.credential_shapes import CurrentPasswordBody, ProfileBody
from authserver.web.api.refusals import (
    OF_BEARERS,
    OF_BODIES,
    OF_PASSWORDS,
    OF_SENSITIVE,
    SESSION_REVOKED,
    document,
    explain_bearer,
    explain_own,
)
from authserver.web.context import current_realm
from authserver.web.limits.tries import try_password
from authserver.web.problem import answer_problem

_TAGS = ["Account"]


@api.get("/account")
@api.output(AccountAnswer, description="The signed-in user.")
@api.doc(summary="Show the account", tags=_TAGS, security=SECURITY_SCHEME, responses=document(*OF_BEARERS))
def answer_account() -> Response | AccountAnswer:
    """Show the bearer's user."""
    user = find_account(current_realm(), load_bearer())
    if user is None:
        return answer_problem(explain_bearer(BearerRefused(SESSION_REVOKED.code, soft_logout=False)))
    return AccountAnswer.of(user)


@api.patch("/account")
@with_bearer(load_bearer)
@api.input(ProfileBody, example={"name": "Ada Lovelace", "phone_number": "+442079460000"})
@api.output(AccountAnswer, description="The user after the change.")
@api.doc(
    summary="Change the profile",
    description="Absent members stay unchanged; an empty string removes a value.",
    tags=_TAGS,
    security=SECURITY_SCHEME,
    responses=document(*OF_BODIES, *OF_BEARERS),
)
def answer_profile(json_data: ProfileBody, bearer: Bearer) -> Response | AccountAnswer:
    """Change the profile of the bearer's user."""
    profile = Profile(**json_data.model_dump(exclude_unset=True))
    outcome = change_profile(current_realm(), bearer, profile)
    return AccountAnswer.of(outcome) if isinstance(outcome, User) else answer_problem(explain_own(outcome))


@api.delete("/account")
@with_bearer(load_recent_bearer("delete_account"))
@api.input(CurrentPasswordBody, example={"current_password": "correct horse battery staple"})
@api.output({}, 204, description="The user is deleted, with all data that names them except the audit record.")
@api.doc(
    summary="Delete the account",
    description="Deletes the account at once and for good. All sessions end.",
    tags=_TAGS,
    security=SECURITY_SCHEME,
    responses=document(*OF_BODIES, *OF_PASSWORDS),
)
def answer_delete_account(json_data: CurrentPasswordBody, bearer: Recent[Bearer]) -> Response:
    """Delete the bearer's user."""
    password, ip = Secret(json_data.current_password), request.remote_addr or ""
    outcome = try_password(bearer, lambda: delete_account(current_realm(), bearer, password, ip))
    return answer_nothing() if isinstance(outcome, Receipt) else answer_problem(explain_own(outcome))


@api.get("/account/export")
@with_bearer(load_recent_bearer("export_account"))
@api.output(ExportAnswer, description="All stored data about the signed-in user.")
@api.doc(summary="Export the data", tags=_TAGS, security=SECURITY_SCHEME, responses=document(*OF_SENSITIVE))
def answer_export(bearer: Recent[Bearer]) -> Response | ExportAnswer:
    """Export all stored data about the bearer's user."""
    outcome = export_account(current_realm(), bearer)
    if not isinstance(outcome, AccountExport):
        return answer_problem(explain_own(outcome))
    return ExportAnswer.of(outcome, bearer.asker.sid)
