"""`POST /oauth/revoke` (RFC 7009)."""

import structlog
from flask import Response, request

from authserver.accounts.revoke_token import revoke_token
from authserver.clients.authentication import authenticate_client
from authserver.protocol.oauth_error import OAuthError, invalid_request
from authserver.web.context import current_realm
from authserver.web.oauth.door import Door
from authserver.web.oauth.form import answer_error, answer_json, read_form, read_presented_client

_log = structlog.get_logger(__name__)


def answer_revoke() -> Response:
    """Revoke a refresh token; 200 also for one that never was (§2.2). `token_type_hint` is not needed."""
    error = _revoke()
    if error is not None:
        _log.info("revocation_refused", error=error.error, reason=error.reason, ip=request.remote_addr)
        return answer_error(error)
    return answer_json({})


def _revoke() -> OAuthError | None:
    parameters = read_form()
    if isinstance(parameters, OAuthError):
        return parameters
    presented = read_presented_client(parameters)
    if isinstance(presented, OAuthError):
        return presented
    realm = current_realm()
    client = authenticate_client(presented, realm.clients.find)
    if isinstance(client, OAuthError):
        return client
    token = parameters.get("token")
    if token is None:
        return invalid_request("token is missing.")
    return revoke_token(realm, client, token, request.remote_addr or "")


DOOR = Door("revocation_endpoint", "/oauth/revoke", "POST", answer_revoke)
