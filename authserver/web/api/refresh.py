"""`/api/refresh`: the token endpoint for a browser whose refresh token is in a cookie (contract §3).

A browser adds the cookie to requests of any page, so three things protect against forged ones: a JSON body, which no
form can send, `SameSite=Strict`, and an `Origin` that the client registered. The exchange itself is that of the token
endpoint.
"""

import structlog
from flask import Response, request

from authserver.clients.presented_client import PresentedClient
from authserver.grants import RefreshTokenGrant, answer_token_request
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.secret import Secret
from authserver.tokens.token_answer import RestingAnswer, TokenAnswer
from authserver.web.api.blueprint import api
from authserver.web.api.delivery import find_fault, keep_in_cookie, read_cookie
from authserver.web.api.refusals import (
    CROSS_SITE,
    FOREIGN_ORIGIN,
    INVALID_GRANT,
    INVALID_SCOPE,
    MISSING_COOKIE,
    NO_COOKIES_FOR_CLIENT,
    OF_BODIES,
    OF_PROOFS,
    document,
    explain_refresh,
    refuse,
)
from authserver.web.api.shapes import RefreshBody, TokensAnswer
from authserver.web.authorization import read_dpop
from authserver.web.context import current_realm
from authserver.web.problem import answer_problem

_GRANTS = (RefreshTokenGrant(),)
_log = structlog.get_logger(__name__)


@api.post("/refresh")
@api.input(RefreshBody, example={"client_id": "first-party"})
@api.output(TokensAnswer, description="New tokens; the refresh token is in the cookie.")
@api.doc(
    summary="Refresh by cookie",
    description=(
        'For browsers that signed in with `"delivery": "cookie"`. `Origin` must be one of the client\'s, or the'
        " issuer's. The responses are those of the token endpoint. The cookie is set when a token was exchanged, but"
        " not while the family rests: for the retry window plus 10 s after that. A refusal keeps the cookie, because"
        " another tab may just have received a newer one. After a sign-in with a `DPoP` header, a proof of the same key"
        " is needed here, too."
    ),
    tags=["Sign-in"],
    responses=document(
        *(*OF_BODIES, *OF_PROOFS, FOREIGN_ORIGIN, CROSS_SITE, NO_COOKIES_FOR_CLIENT),
        *(MISSING_COOKIE, INVALID_GRANT, INVALID_SCOPE),
    ),
)
def answer_refresh(json_data: RefreshBody) -> Response | TokensAnswer:
    """Exchange the refresh token in the cookie for its successor."""
    client = current_realm().clients.find(json_data.client_id)
    if client is None or not client.first_party:
        return answer_problem(refuse(NO_COOKIES_FOR_CLIENT))
    fault = find_fault(client)
    if fault is not None:
        _log.info(fault.code, client_id=client.client_id, origin=request.headers.get("Origin"), ip=request.remote_addr)
        return answer_problem(refuse(fault))
    held = read_cookie(client.client_id)
    if held is None:
        return answer_problem(refuse(MISSING_COOKIE))
    answer = _exchange(client.client_id, held, json_data.scope)
    if isinstance(answer, OAuthError):
        _log.info("token_refused", error=answer.error, reason=answer.reason, ip=request.remote_addr)
        return answer_problem(explain_refresh(answer))
    resting = isinstance(answer, RestingAnswer)
    _log.debug("token_issued", sid=answer.sid, resting=resting)
    if not resting:  # else a slow answer could restore a cookie that another tab has already exchanged
        keep_in_cookie(client.client_id, answer)
    return TokensAnswer.of(answer, in_cookie=True)


def _exchange(client_id: str, held: Secret, scope: str) -> TokenAnswer | OAuthError:
    parameters = {"grant_type": RefreshTokenGrant.grant_type, "refresh_token": held.reveal()}
    if scope:
        parameters["scope"] = scope
    presented = PresentedClient(client_id)
    realm = current_realm()
    http = read_dpop(realm, request)
    return answer_token_request(_GRANTS, realm, parameters, presented, request.remote_addr or "", http)
