"""Reads which client a request names, and the one proof that it brings (RFC 6749 §2.3, RFC 7521 §4.2).

Proves nothing: `authentication` does.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from authserver.jose.client_assertion import UnprovenAssertion, open_client_assertion
from authserver.jose.errors import TokenRejected
from authserver.protocol.client_metadata import ASSERTION_TYPE, AuthMethod
from authserver.protocol.oauth_error import OAuthError, invalid_client, invalid_request
from authserver.protocol.secret import Secret
from authserver.protocol.text import is_storable

_SECRET, _ASSERTION, _ASSERTION_TYPE = "client_secret", "client_assertion", "client_assertion_type"
_TWO_WAYS = "Use one way of client authentication."


@dataclass(frozen=True, slots=True)
class PresentedClient:
    """The client that a request names, and its one proof, not yet checked.

    `path` is that of the endpoint, which an assertion may name as its audience.
    """

    client_id: str
    proof: Secret | UnprovenAssertion | None = field(default=None, repr=False)
    method: AuthMethod = AuthMethod.NONE
    path: str = ""


def read_client(
    authorization: str | None, parameters: Mapping[str, str], path: str = ""
) -> PresentedClient | OAuthError:
    """Read the client of a request: from its `Authorization` header, or from the `parameters` of its form."""
    by_secret, by_assertion = _SECRET in parameters, _ASSERTION in parameters or _ASSERTION_TYPE in parameters
    if (authorization is not None) + by_secret + by_assertion > 1:
        return invalid_request(_TWO_WAYS)
    client_id = parameters.get("client_id")
    if authorization is not None:
        return _read_header(authorization, client_id, path)
    if by_assertion:
        return _read_assertion(parameters, client_id, path)
    if client_id is None:
        return invalid_client("no client named")
    if by_secret:
        return PresentedClient(client_id, Secret(parameters[_SECRET]), AuthMethod.CLIENT_SECRET_POST, path)
    return PresentedClient(client_id, path=path)


def _read_header(authorization: str, client_id: str | None, path: str) -> PresentedClient | OAuthError:
    basic = _read_basic(authorization)
    if basic is None:
        return invalid_client("broken Authorization header")
    named, secret = basic
    if client_id not in {None, named}:
        return invalid_request(_TWO_WAYS)
    return PresentedClient(named, secret, AuthMethod.CLIENT_SECRET_BASIC, path)


def _read_basic(authorization: str) -> tuple[str, Secret] | None:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    if not is_storable(decoded):
        return None
    # RFC 6749 §2.3.1: id and secret are form-encoded before they are joined.
    client_id, colon, secret = (unquote_plus(part) for part in decoded.partition(":"))
    return (client_id, Secret(secret)) if colon and is_storable(client_id) and is_storable(secret) else None


def _read_assertion(parameters: Mapping[str, str], client_id: str | None, path: str) -> PresentedClient | OAuthError:
    if _ASSERTION not in parameters or _ASSERTION_TYPE not in parameters:
        return invalid_request("client_assertion and client_assertion_type go together.")
    if parameters[_ASSERTION_TYPE] != ASSERTION_TYPE:
        return invalid_client("unknown client_assertion_type")
    try:
        assertion = open_client_assertion(parameters[_ASSERTION])
    except TokenRejected as rejected:
        return invalid_client(f"client assertion: {rejected}")
    if client_id not in {None, assertion.client_id}:
        return invalid_client("client assertion: client_id is not its sub")  # RFC 7521 §4.2
    if not is_storable(assertion.client_id):
        return invalid_client("client assertion: sub names no client")
    return PresentedClient(assertion.client_id, assertion, AuthMethod.PRIVATE_KEY_JWT, path)
