"""Evaluates an authorization request: an answer, or what is still missing (RFC 6749 §4.1, OIDC Core §3.1.2)."""

from collections.abc import Sequence

from authserver.authentication.browser_session import SignedInBrowser
from authserver.authorization.code import IssuedCode, issue_code
from authserver.authorization.interaction import Check, Interaction, find_missing
from authserver.authorization.outcomes import (
    AlreadyAnswered,
    Decision,
    Missing,
    Outcome,
    RequestedAccess,
    SignInNeeded,
    Spent,
    Unredirectable,
)
from authserver.authorization.pending_request import PendingRequest
from authserver.authorization.pushed_request import validate_pending
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm


def authorize(
    realm: Realm,
    pending: PendingRequest,
    browser: SignedInBrowser | None,
    checks: Sequence[Check],
    *,
    ip: str,
    decision: Decision | None = None,
) -> Outcome:
    """Evaluate `pending` in the browser in which it began.

    Args:
        realm: the installation.
        pending: the request.
        browser: the user who is signed in at this browser; None if nobody is.
        checks: the checks of all steps, in order.
        ip: the address of the browser, for the audit record.
        decision: the person's answer to the consent question of this request, if they have just given one.
    """
    request = validate_pending(realm, pending)
    if isinstance(request, Unredirectable | Spent):
        return request
    interaction = Interaction(
        realm, pending, request.asked, request.access, browser, decision, request.refusal, request.is_silent
    )
    match find_missing(interaction, checks) or _issue(interaction, request.access, ip):
        case Missing() as missing if request.is_silent:
            return request.refuse(missing.silent_error)
        case OAuthError(error=error, description=description):
            return request.refuse(error, description)
        case IssuedCode(code=code):
            return request.answer({"code": code})
        case outcome:
            return outcome


def _issue(
    interaction: Interaction, access: RequestedAccess, ip: str
) -> IssuedCode | Missing | OAuthError | AlreadyAnswered | Unredirectable:
    if interaction.browser is None:  # no code without a signed-in user, even if a check is missing
        return SignInNeeded(access)
    return issue_code(interaction, access, interaction.browser, ip=ip)
