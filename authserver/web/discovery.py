"""Discovery documents (RFC 8414, OpenID Connect Discovery): derived from what is registered, never written by hand."""

import json
from collections.abc import Iterable

from flask import Response

from authserver.grants import GRANTS
from authserver.jose.algorithms import ALGORITHMS
from authserver.web.context import current_realm
from authserver.web.oauth import DOORS

PATHS = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
_CLIENT_AUTHENTICATION = ["none", "client_secret_basic", "client_secret_post"]


def answer_discovery() -> Response:
    """The metadata of this installation, for any origin."""
    response = Response(json.dumps(_describe(current_realm().issuer)), content_type="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _describe(issuer: str) -> dict[str, str | list[str] | bool]:
    endpoints = {door.metadata_name: issuer + door.path for door in DOORS}
    methods = {
        f"{name}_auth_methods_supported": _CLIENT_AUTHENTICATION
        for name in endpoints
        if name in {"token_endpoint", "revocation_endpoint", "introspection_endpoint"}
    }
    return {
        "issuer": issuer,
        **endpoints,
        **methods,
        "grant_types_supported": _names(grant.grant_type for grant in GRANTS),
        "id_token_signing_alg_values_supported": _names(algorithm.name for algorithm in ALGORITHMS),
        "subject_types_supported": ["public"],
    }


def _names(names: Iterable[str]) -> list[str]:
    return list(names)
