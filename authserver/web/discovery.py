"""Discovery documents (RFC 8414, OpenID Connect Discovery), derived from the registered endpoints and features."""

import json
from collections.abc import Iterable
from dataclasses import fields

from flask import Response

from authserver.authentication.open_session import PASSWORD
from authserver.branding.brand import Brand
from authserver.clients.authentication import CHECKS
from authserver.grants import GRANTS
from authserver.jose.algorithms import CLIENT_ALGORITHMS
from authserver.jose.dpop_proof import SIGNING_ALGORITHMS
from authserver.protocol.authorization_request import PROMPTS, RESPONSE_MODES, RESPONSE_TYPES
from authserver.protocol.claims import IdTokenClaims
from authserver.protocol.client_metadata import AuthMethod
from authserver.protocol.pkce import CODE_CHALLENGE_METHODS
from authserver.protocol.user_claims import CLAIMS_OF_SCOPE
from authserver.realm import Realm
from authserver.records.pseudonym import SUBJECT_TYPES
from authserver.sessions.scope import OFFLINE_SCOPE
from authserver.web.context import current_realm
from authserver.web.oauth import DOORS
from authserver.web.pages import ENDPOINTS
from authserver.web.pages.languages import LANGUAGES
from authserver.web.pages.rendering import current_look

PATHS = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
_CLIENT_AUTHENTICATION = {
    "token_endpoint": tuple(CHECKS),
    "revocation_endpoint": tuple(CHECKS),
    # RFC 7662 §2.1: a public client could scan for valid tokens
    "introspection_endpoint": tuple(method for method in CHECKS if method is not AuthMethod.NONE),
}

Metadata = dict[str, str | list[str] | bool]


def answer_discovery() -> Response:
    """Answer with the metadata of this installation. Any origin may read it."""
    document = _describe(current_realm()) | _describe_brand(current_look().brand)
    response = Response(json.dumps(document), content_type="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _describe(realm: Realm) -> Metadata:
    issuer, doors = realm.issuer, [door for door in DOORS if door.is_served(realm) and not door.hidden]
    paths = {**{door.metadata_name: door.path for door in doors}, **ENDPOINTS}
    return {
        "issuer": issuer,
        **{name: issuer + path for name, path in paths.items()},
        **_describe_client_authentication(),
        "grant_types_supported": _names(grant.grant_type for grant in GRANTS),
        **_describe_authorization(),
        "client_id_metadata_document_supported": realm.documents.policy.is_on,
        "scopes_supported": [*CLAIMS_OF_SCOPE, OFFLINE_SCOPE],
        "claims_supported": _list_claims(),
        "subject_types_supported": _names(SUBJECT_TYPES),
        "id_token_signing_alg_values_supported": _names(current_realm().keyring.current.client_algorithms),
        "dpop_signing_alg_values_supported": _names(SIGNING_ALGORITHMS),
        "ui_locales_supported": _names(LANGUAGES),
    }


def _describe_client_authentication() -> Metadata:
    algorithms = _names(algorithm.name for algorithm in CLIENT_ALGORITHMS)
    described: Metadata = {}
    for endpoint, methods in _CLIENT_AUTHENTICATION.items():
        described[f"{endpoint}_auth_methods_supported"] = _names(method.value for method in methods)
        described[f"{endpoint}_auth_signing_alg_values_supported"] = algorithms
    return described


def _describe_authorization() -> Metadata:
    return {
        "response_types_supported": _names(RESPONSE_TYPES),
        "response_modes_supported": _names(RESPONSE_MODES),
        "code_challenge_methods_supported": _names(CODE_CHALLENGE_METHODS),
        "prompt_values_supported": _names(PROMPTS),
        "acr_values_supported": [PASSWORD.acr],
        "authorization_response_iss_parameter_supported": True,  # RFC 9207 §3
        "claims_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,  # logout tokens have `sid`
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,  # if it were absent, it would mean true (OpenID Connect Discovery §3)
    }


def _describe_brand(brand: Brand) -> Metadata:
    known = {"op_policy_uri": brand.privacy_url, "op_tos_uri": brand.terms_url}
    return {name: url for name, url in known.items() if url}


def _list_claims() -> list[str]:
    about_users = {name for names in CLAIMS_OF_SCOPE.values() for name in names}
    return sorted(about_users | {field.name for field in fields(IdTokenClaims)})


def _names(names: Iterable[str]) -> list[str]:
    return list(names)
