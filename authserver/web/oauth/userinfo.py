"""`GET, POST /oauth/userinfo` (OpenID Connect Core §5.3)."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import assert_never

import structlog
from werkzeug import Request

from authserver.authorization.userinfo import ScopeMissing, find_userinfo
from authserver.protocol.bearer_request import SEVERAL_CHALLENGE, SEVERAL_TOKENS, SeveralTokens
from authserver.realm import Realm
from authserver.records.presence import BearerRefused
from authserver.web.authorization import (
    BARE_CHALLENGE,
    ShownToken,
    challenge_refused,
    name_error,
    offer_nonce,
    read_shown_token,
    write_challenge,
)
from authserver.web.oauth.door import Door
from authserver.web.oauth.form import JsonAnswer, answer_json

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A refusal as in RFC 6750 §3. Only a 401 has `soft_logout`."""

    status: HTTPStatus
    error: str
    description: str
    challenge: str
    soft_logout: bool | None = None


def answer_userinfo(realm: Realm, request: Request) -> JsonAnswer:
    """Answer with the claims about the user that the token's scope allows.

    A body is ignored, unless it carries a second token, which refuses the request.
    """
    response = _answer_request(realm, request)
    offer_nonce(realm, request, response.headers)
    return response


def _answer_request(realm: Realm, request: Request) -> JsonAnswer:
    shown = read_shown_token(realm, request)
    told = find_userinfo(realm, shown.token, shown.dpop) if isinstance(shown, ShownToken) else shown
    match told:
        case SeveralTokens():
            return _answer(_Refusal(HTTPStatus.BAD_REQUEST, "invalid_request", SEVERAL_TOKENS, SEVERAL_CHALLENGE))
        case None:
            needed = "An access token is needed in the Authorization header."
            return _answer(
                _Refusal(HTTPStatus.UNAUTHORIZED, "invalid_token", needed, BARE_CHALLENGE, soft_logout=False)
            )
        case BearerRefused():
            _log.info("bearer_refused", code=told.code, reason=told.reason, ip=request.remote_addr)
            challenge, error = challenge_refused(told), name_error(told)
            invalid = "The access token is not valid." if error == "invalid_token" else "The DPoP proof is not valid."
            return _answer(
                _Refusal(HTTPStatus.UNAUTHORIZED, error, told.detail or invalid, challenge, told.soft_logout)
            )
        case ScopeMissing():
            scheme = "DPoP" if isinstance(shown, ShownToken) and shown.dpop is not None else "Bearer"
            challenge = write_challenge(scheme, error="insufficient_scope", scope=told.scope)
            missing = "The scope of the token does not allow this."
            return _answer(_Refusal(HTTPStatus.FORBIDDEN, "insufficient_scope", missing, challenge))
        case dict():
            return answer_json(told)
        case _:
            assert_never(told)


def _answer(refusal: _Refusal) -> JsonAnswer:
    members = {"error": refusal.error, "error_description": refusal.description}
    kept = {} if refusal.soft_logout is None else {"soft_logout": refusal.soft_logout}
    response = answer_json(members | kept, refusal.status)
    response.headers["WWW-Authenticate"] = refusal.challenge
    return response


DOOR = Door("userinfo_endpoint", "/oauth/userinfo", ("GET", "POST"), answer_userinfo)
