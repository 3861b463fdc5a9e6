"""`/oauth/register` (RFC 7591), and `/oauth/register/{client_id}` (RFC 7592), for clients that register themselves."""

import json
from http import HTTPStatus
from typing import Any, Final, assert_never
from urllib.parse import quote

import structlog
from werkzeug import Request

from authserver.clients.self_registration import (
    Managed,
    NotAllowed,
    TokenRefused,
    delete_itself,
    read_itself,
    register_itself,
    update_itself,
)
from authserver.jose import strict_json
from authserver.jose.errors import InvalidJsonError
from authserver.protocol.bearer_request import SEVERAL_CHALLENGE, SEVERAL_TOKENS, SeveralTokens
from authserver.protocol.client_metadata import AuthMethod, ClientKind
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.records.client import Client
from authserver.records.client_metadata import (
    CODE_GRANT,
    NATIVE,
    REFRESH_GRANT,
    SETTABLE,
    WEB,
)
from authserver.records.client_settings import ATTRIBUTES
from authserver.sessions.scope import OFFLINE_SCOPE
from authserver.web.authorization import BARE_CHALLENGE, ShownToken, read_shown_token
from authserver.web.oauth.door import Door
from authserver.web.oauth.form import JsonAnswer, answer_json

_log = structlog.get_logger(__name__)
_PATH: Final = "/oauth/register"
_INVALID: Final = 'Bearer error="invalid_token"'


def answer_registration(realm: Realm, request: Request) -> JsonAnswer:
    """Register a client: 201, with its secret and its management token, only this once (RFC 7591 §3)."""
    token = _read_token(realm, request)
    if isinstance(token, JsonAnswer):
        return token
    members = _read_members(request)
    if isinstance(members, OAuthError):
        return _answer(realm, members)
    outcome = register_itself(realm, token, members, ip=request.remote_addr or "")
    return _answer(realm, outcome, HTTPStatus.CREATED)


def answer_management(realm: Realm, request: Request) -> JsonAnswer:
    """Show, replace or delete a registration (RFC 7592 §2)."""
    token = _read_token(realm, request)
    if isinstance(token, JsonAnswer):
        return token
    client_id, ip = request.path.rpartition("/")[2], request.remote_addr or ""
    match request.method:
        case "DELETE":
            refused = delete_itself(realm, client_id, token, ip=ip)
            return JsonAnswer(b"", HTTPStatus.NO_CONTENT) if refused is None else _answer(realm, refused)
        case "PUT":
            members = _read_members(request)
            if isinstance(members, OAuthError):
                return _answer(realm, members)
            return _answer(realm, update_itself(realm, client_id, token, members, ip=ip))
        case _:
            return _answer(realm, read_itself(realm, client_id, token))


def _read_token(realm: Realm, request: Request) -> Secret | JsonAnswer:
    shown = read_shown_token(realm, request)
    if isinstance(shown, SeveralTokens):
        return _refuse(HTTPStatus.BAD_REQUEST, "invalid_request", SEVERAL_TOKENS, SEVERAL_CHALLENGE)
    if isinstance(shown, ShownToken) and shown.dpop is None:
        return Secret(shown.token)
    needed = "A bearer token is needed in the Authorization header."
    return _refuse(HTTPStatus.UNAUTHORIZED, "invalid_token", needed, BARE_CHALLENGE)


def _read_members(request: Request) -> dict[str, object] | OAuthError:
    if request.mimetype != "application/json":
        return OAuthError("invalid_client_metadata", "The body must be application/json.", "media type")
    try:
        return strict_json.load_object(request.get_data(cache=False))
    except InvalidJsonError as error:
        return OAuthError("invalid_client_metadata", "The body must be one JSON object.", str(error))


def _answer(
    realm: Realm, outcome: Managed | OAuthError | TokenRefused | NotAllowed, status: HTTPStatus = HTTPStatus.OK
) -> JsonAnswer:
    match outcome:
        case Managed():
            return answer_json(_describe(realm, outcome), status)
        case OAuthError(error=error, description=description):
            _log.info("client_registration_refused", error=error, description=description, reason=outcome.reason)
            return answer_json({"error": error, "error_description": description}, HTTPStatus.BAD_REQUEST)
        case TokenRefused(reason):
            _log.info("client_registration_refused", error="invalid_token", reason=reason)
            return _refuse(HTTPStatus.UNAUTHORIZED, "invalid_token", "The token is not valid.", _INVALID)
        case NotAllowed():
            message = "This client was disabled."
            return answer_json({"error": "access_denied", "error_description": message}, HTTPStatus.FORBIDDEN)
        case _:
            assert_never(outcome)


def _refuse(status: HTTPStatus, error: str, description: str, challenge: str) -> JsonAnswer:
    answer = answer_json({"error": error, "error_description": description}, status)
    answer.headers["WWW-Authenticate"] = challenge
    return answer


def _describe(realm: Realm, managed: Managed) -> dict[str, Any]:
    """The client information response (RFC 7591 §3.2.1, RFC 7592 §3). A secret that is kept by no one is left out."""
    client = managed.client
    secret = {} if managed.secret is None else {"client_secret": managed.secret.reveal(), "client_secret_expires_at": 0}
    return {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        **secret,
        "registration_access_token": managed.management_token.reveal(),
        "registration_client_uri": f"{realm.issuer}{_PATH}/{quote(client.client_id, safe='')}",
        **_describe_settings(client),
        "grant_types": [CODE_GRANT, *([REFRESH_GRANT] if _may_refresh(client) else [])],
        "response_types": ["code"],
        "token_endpoint_auth_method": _name_method(client).value,
        "application_type": NATIVE if client.kind is ClientKind.NATIVE else WEB,
    }


def _describe_settings(client: Client) -> dict[str, object]:
    said = {name: client.of(name) for name in ATTRIBUTES if name in SETTABLE}
    said["scope"] = " ".join(client.scope)
    said["auth_method"] = None  # `_name_method` says it
    said["jwks"] = None if client.jwks is None else json.loads(client.jwks)
    return {ATTRIBUTES[name].metadata or name: value for name, value in said.items() if value not in (None, (), "")}


def _name_method(client: Client) -> AuthMethod:
    if client.kind.is_public:
        return AuthMethod.NONE
    return client.auth_method or AuthMethod.CLIENT_SECRET_BASIC


def _may_refresh(client: Client) -> bool:
    return client.offline_access or OFFLINE_SCOPE in client.scope


def _is_served(realm: Realm) -> bool:
    return realm.registers_clients


DOOR: Final = Door("registration_endpoint", _PATH, ("POST",), answer_registration, is_served=_is_served)
MANAGEMENT_DOOR: Final = Door(
    "client_configuration_endpoint",
    f"{_PATH}/<client_id>",
    ("GET", "PUT", "DELETE"),
    answer_management,
    is_served=_is_served,
    hidden=True,
)
