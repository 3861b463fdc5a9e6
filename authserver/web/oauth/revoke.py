"""`POST /oauth/revoke` (RFC 7009)."""

import structlog
from werkzeug import Request

from authserver.authorization.revoke_token import revoke_token
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.web.oauth.door import Door
from authserver.web.oauth.form import JsonAnswer, answer_error, answer_json, read_client_request

_log = structlog.get_logger(__name__)


def answer_revoke(realm: Realm, request: Request) -> JsonAnswer:
    """Revoke a token. An unknown token is answered with 200, too (RFC 7009 §2.2). `token_type_hint` is ignored."""
    error = _revoke(realm, request)
    if error is not None:
        _log.info("revocation_refused", error=error.error, reason=error.reason, ip=request.remote_addr)
        return answer_error(error)
    return answer_json({})


def _revoke(realm: Realm, request: Request) -> OAuthError | None:
    asked = read_client_request(realm, request, "token")
    if isinstance(asked, OAuthError):
        return asked
    return revoke_token(realm, asked.client, asked.parameters["token"], request.remote_addr or "")


DOOR = Door("revocation_endpoint", "/oauth/revoke", ("POST",), answer_revoke)
