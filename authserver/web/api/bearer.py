"""Authentication of API calls, only by the access token in the `Authorization` header (RFC 6750 §2.1)."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import structlog
from flask import request

from authserver.authentication.bearer import Bearer, authenticate_bearer, authenticate_signing_out
from authserver.authentication.reauthentication import Recent, demand_recent
from authserver.protocol.bearer_request import SeveralTokens
from authserver.protocol.dpop_request import DpopRequest
from authserver.realm import Realm
from authserver.realm.outcomes import Reauthenticate
from authserver.records.presence import BearerRefused
from authserver.web.api.refusals import MISSING_TOKEN, explain, explain_bearer, explain_several, refuse
from authserver.web.authorization import read_shown_token
from authserver.web.context import current_realm
from authserver.web.problem import ProblemError

SECURITY_SCHEME = "accessToken"
ResponseT = TypeVar("ResponseT")
_log = structlog.get_logger(__name__)


def load_bearer() -> Bearer:
    """Load the user and session behind this request.

    Raises:
        ProblemError: there is no access token, more than one, or one that is not accepted.
    """
    return _load(authenticate_bearer)


def load_bearer_signing_out() -> Bearer:
    """Load the user and session behind a sign-out. A session that may do nothing else may still sign out.

    Raises:
        ProblemError: there is no access token, more than one, or one that is not accepted.
    """
    return _load(authenticate_signing_out)


def load_recent_bearer(act: str) -> Callable[[], Recent[Bearer]]:
    """Make a loader for the sensitive `act`. It also requires a recent sign-in (RFC 9470, ASVS 7.5.1)."""

    def load() -> Recent[Bearer]:
        recent = demand_recent(current_realm(), load_bearer(), act, request.remote_addr)
        if isinstance(recent, Reauthenticate):
            raise ProblemError(explain(recent))
        return recent

    return load


def with_bearer(
    load: Callable[[], Bearer | Recent[Bearer]],
) -> Callable[[Callable[..., ResponseT]], Callable[..., ResponseT]]:
    """Pass `bearer` to the view. Place it above `input`, so that strangers get no errors about the body."""

    def decorate(view: Callable[..., ResponseT]) -> Callable[..., ResponseT]:
        @wraps(view)
        def answer(**arguments: object) -> ResponseT:
            return view(bearer=load(), **arguments)

        return answer

    return decorate


def _load(authenticate: Callable[[Realm, str, DpopRequest | None], Bearer | BearerRefused]) -> Bearer:
    shown = read_shown_token(current_realm(), request)
    if isinstance(shown, SeveralTokens):
        raise ProblemError(explain_several())
    if shown is None:
        raise ProblemError(refuse(MISSING_TOKEN))
    bearer = authenticate(current_realm(), shown.token, shown.dpop)
    if isinstance(bearer, BearerRefused):
        _log.info("bearer_refused", code=bearer.code, reason=bearer.reason, ip=request.remote_addr)
        raise ProblemError(explain_bearer(bearer))
    return bearer
