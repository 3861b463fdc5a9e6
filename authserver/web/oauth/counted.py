"""What the endpoints share that keep something for each request: requests in the name of public clients are counted."""

from http import HTTPStatus

import structlog
from werkzeug import Request

from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.web.limits.tries import TooManyTries, count_client_address
from authserver.web.oauth.form import ClientRequest, JsonAnswer, answer_error, answer_json, read_client_request

_log = structlog.get_logger(__name__)


def read_counted_request(
    realm: Realm, request: Request, required: str, *, purpose: str
) -> ClientRequest | OAuthError | TooManyTries:
    """Read the form of an endpoint that demands a client and the parameter `required`; count it under `purpose`."""
    asked = read_client_request(realm, request, required)
    if isinstance(asked, OAuthError):
        return asked
    return count_client_address(purpose, asked.client) or asked


def answer_refusal(refused: OAuthError | TooManyTries, request: Request, *, event: str) -> JsonAnswer:
    """Answer a refusal in JSON: 429 for a request too many (RFC 9126 §2.3, RFC 6585 §4). The log calls it `event`."""
    if isinstance(refused, OAuthError):
        _log.info(event, error=refused.error, reason=refused.reason, ip=request.remote_addr)
        return answer_error(refused)
    members = {"error": "temporarily_unavailable", "error_description": "Too many requests."}
    response = answer_json(members, HTTPStatus.TOO_MANY_REQUESTS)
    response.headers["Retry-After"] = str(refused.retry_after)
    return response
