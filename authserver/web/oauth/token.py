"""`POST /oauth/token` (RFC 6749 §3.2): parse the request, pass it to its grant, answer."""

import structlog
from werkzeug import Request

from authserver.grants import GRANTS, answer_token_request
from authserver.protocol.client_metadata import TOKEN_PATH
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.tokens.client_token import ClientAnswer
from authserver.tokens.token_answer import AccessAnswer, RestingAnswer
from authserver.web.authorization import offer_nonce, read_dpop
from authserver.web.oauth.door import Door
from authserver.web.oauth.form import JsonAnswer, answer_error, answer_json, read_form, read_presented_client

_log = structlog.get_logger(__name__)


def answer_token(realm: Realm, request: Request) -> JsonAnswer:
    """Answer a token request."""
    answer = _answer(realm, request)
    if isinstance(answer, OAuthError):
        _log.info("token_refused", error=answer.error, reason=answer.reason, ip=request.remote_addr)
        response = answer_error(answer)
    else:
        sid = None if isinstance(answer, ClientAnswer) else answer.sid
        _log.debug("token_issued", sid=sid, resting=isinstance(answer, RestingAnswer))
        response = answer_json(answer)
    offer_nonce(realm, request, response.headers)
    return response


def _answer(realm: Realm, request: Request) -> AccessAnswer | ClientAnswer | OAuthError:
    parameters = read_form(request)
    if isinstance(parameters, OAuthError):
        return parameters
    presented = read_presented_client(request, parameters)
    if isinstance(presented, OAuthError):
        return presented
    http = read_dpop(realm, request)
    return answer_token_request(GRANTS, realm, parameters, presented, request.remote_addr or "", http)


DOOR = Door("token_endpoint", TOKEN_PATH, ("POST",), answer_token)
