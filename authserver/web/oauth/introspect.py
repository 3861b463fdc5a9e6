"""`POST /oauth/introspect` (RFC 7662)."""

from typing import Any, assert_never

import structlog
from werkzeug import Request

from authserver.authorization.introspect import introspect
from authserver.protocol.claims import AccessTokenClaims, ClientToken, UserToken
from authserver.protocol.oauth_error import OAuthError, invalid_client
from authserver.realm import Realm
from authserver.records.family import Family
from authserver.web.oauth.door import Door
from authserver.web.oauth.form import JsonAnswer, answer_error, answer_json, read_client_request

_log = structlog.get_logger(__name__)


def answer_introspection(realm: Realm, request: Request) -> JsonAnswer:
    """Answer with the claims of an active token, or with `{"active": false}` alone for every other token."""
    answer = _introspect(realm, request)
    if isinstance(answer, OAuthError):
        _log.info("introspection_refused", error=answer.error, reason=answer.reason, ip=request.remote_addr)
        return answer_error(answer)
    return answer_json(answer)


def _introspect(realm: Realm, request: Request) -> dict[str, Any] | OAuthError:
    asked = read_client_request(realm, request, "token")
    if isinstance(asked, OAuthError):
        return asked
    if asked.client.kind.is_public:
        # RFC 7662 §2.1: otherwise anybody could scan for valid tokens.
        return invalid_client("a public client cannot introspect")
    found = introspect(realm, asked.client, asked.parameters["token"])
    match found:
        case None:
            return {"active": False}
        case UserToken() | ClientToken():
            return _describe_access_token(found)
        case Family():
            return _describe_refresh_token(found, realm.issuer)
        case _:
            assert_never(found)


def _describe_access_token(claims: AccessTokenClaims) -> dict[str, Any]:
    members = {
        "active": True,
        "token_type": "Bearer" if claims.jkt is None else "DPoP",
        "iss": claims.iss,
        "sub": claims.sub,
        "aud": list(claims.aud),
        "exp": claims.exp,
        "iat": claims.iat,
        "jti": claims.jti,
        "client_id": claims.client_id,
        "scope": claims.scope,
        "cnf": None if claims.jkt is None else {"jkt": claims.jkt},  # RFC 9449 §6.2
    }
    if isinstance(claims, UserToken):
        members |= {
            "sid": claims.sid,
            "auth_time": claims.auth_time,
            "amr": list(claims.amr) or None,
            "acr": claims.acr,
            "roles": list(claims.roles) or None,
            "token_version": claims.token_version,
        }
    return {name: value for name, value in members.items() if value is not None}


def _describe_refresh_token(family: Family, issuer: str) -> dict[str, Any]:
    granted = family.granted
    bond = {} if family.jkt is None else {"cnf": {"jkt": family.jkt}}
    return bond | {
        "active": True,
        "iss": issuer,
        "sub": granted.user_id,
        "client_id": granted.client_id,
        "scope": granted.scope,
        "sid": granted.sid,
        "exp": int(family.ends_at.timestamp()),
    }


DOOR = Door("introspection_endpoint", "/oauth/introspect", ("POST",), answer_introspection)
