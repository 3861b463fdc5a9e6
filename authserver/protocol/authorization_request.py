"""The authorization request (RFC 6749 §4.1.1, OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2.1), read strictly.

Two steps, because they fail differently. `read_address` finds the client to answer; until that is known, nobody is
redirected anywhere. `parse_request` reads what is asked; its refusals go back to the client. Pure; does NOT check what
only the registry knows: the client, its redirect URIs, scopes and audiences.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from authserver.protocol.claims_request import ClaimsRequest, parse_claims_request
from authserver.protocol.oauth_error import OAuthError, invalid_request
from authserver.protocol.pkce import CODE_CHALLENGE_METHODS, is_code_challenge
from authserver.protocol.text import is_storable

RESPONSE_TYPES: Final = ("code",)
RESPONSE_MODES: Final = ("query", "fragment", "form_post")
PROMPTS: Final = ("none", "login", "consent", "select_account", "create")

NO_CLAIMS: Final = ClaimsRequest()

_MOST_PARAMETERS: Final = 50
_MAX_AGE = re.compile(r"[0-9]{1,9}\Z")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*\Z")  # RFC 6749 §3.3
_JKT = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # SHA-256 in base64url, RFC 9449 §10
_NOT_SUPPORTED: Final = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a request as received. A `repeated` parameter counts as absent, except for `resource`."""

    values: Mapping[str, str]
    resources: tuple[str, ...]
    repeated: frozenset[str]


@dataclass(frozen=True, slots=True)
class Address:
    """The client and redirect URI that a request names. NOT checked: that they belong together."""

    client_id: str
    redirect_uri: str | None
    response_mode: str
    state: str | None


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a client asks for.

    Attributes:
        scope: None asks for everything that the client may have.
        resources: the resource servers that the tokens are for (RFC 8707 §2).
        prompts: a subset of `PROMPTS`.
        code_challenge: None if there is none. NOT checked: whether the client may send none.
        max_age: the seconds that may have passed since the user proved who they are.
        id_token_hint: an ID token that names the user; not checked yet.
        dpop_jkt: the key that the exchange of the code has to prove (RFC 9449 §10); None for any key, or none.
    """

    code_challenge: str | None
    scope: tuple[str, ...] | None = None
    resources: tuple[str, ...] = ()
    nonce: str | None = None
    prompts: frozenset[str] = frozenset()
    max_age: int | None = None
    login_hint: str = ""
    id_token_hint: str | None = field(default=None, repr=False)
    claims: ClaimsRequest = NO_CLAIMS
    dpop_jkt: str | None = None


NOTHING_ASKED: Final = AuthorizationRequest(code_challenge=None)
"""A request without any demand on the sign-in."""


def read_parameters(text: str) -> Parameters | None:
    """Parse a query or a form; None if it is malformed. An empty parameter counts as absent (RFC 6749 §3.1)."""
    try:
        pairs = parse_qsl(text, max_num_fields=_MOST_PARAMETERS, errors="strict")
    except ValueError:
        return None
    if not all(is_storable(value) for _, value in pairs):
        return None
    names = [name for name, _ in pairs]
    repeated = frozenset(name for name in names if names.count(name) > 1 and name != "resource")
    values = {name: value for name, value in pairs if name not in repeated and name != "resource"}
    return Parameters(values, tuple(value for name, value in pairs if name == "resource"), repeated)


def read_address(parameters: Parameters) -> Address | None:
    """The client and redirect URI to answer; None unless it names one client, and at most one URI."""
    client_id = parameters.values.get("client_id")
    if client_id is None or "redirect_uri" in parameters.repeated:
        return None
    mode = parameters.values.get("response_mode", "")
    return Address(
        client_id,
        parameters.values.get("redirect_uri"),
        mode if mode in RESPONSE_MODES else RESPONSE_MODES[0],
        parameters.values.get("state"),
    )


def parse_request(parameters: Parameters) -> AuthorizationRequest | OAuthError:
    """The parsed request, or the refusal to send to the client (RFC 6749 §4.1.2.1)."""
    refusal = _find_refusal(parameters)
    if refusal is not None:
        return refusal
    values = parameters.values
    try:
        claims = parse_claims_request(values["claims"]) if "claims" in values else NO_CLAIMS
    except ValueError:
        return invalid_request("claims is not valid as OpenID Connect Core 5.5 describes it.")
    scope = values.get("scope")
    max_age = values.get("max_age")
    return AuthorizationRequest(
        code_challenge=values.get("code_challenge"),
        scope=None if scope is None else tuple(dict.fromkeys(scope.split(" "))),
        resources=parameters.resources,
        nonce=values.get("nonce"),
        prompts=frozenset(values.get("prompt", "").split()),
        max_age=None if max_age is None else int(max_age),
        login_hint=values.get("login_hint", ""),
        id_token_hint=values.get("id_token_hint"),
        claims=claims,
        dpop_jkt=values.get("dpop_jkt"),
    )


def _find_refusal(parameters: Parameters) -> OAuthError | None:
    values = parameters.values
    for name, code in _NOT_SUPPORTED.items():
        if name in values or name in parameters.repeated:
            return OAuthError(code, f"{name} is not supported.", name)
    if parameters.repeated:
        return invalid_request("A parameter is repeated.")
    if "response_type" not in values:
        return invalid_request("response_type is missing.")
    if values["response_type"] not in RESPONSE_TYPES:
        return OAuthError("unsupported_response_type", "Only code is supported.", "response_type")
    return _find_malformed(values)


def _find_malformed(values: Mapping[str, str]) -> OAuthError | None:
    prompts = values.get("prompt", "").split()
    challenge, method = values.get("code_challenge"), values.get("code_challenge_method")
    is_pkce = challenge is not None or method is not None
    faults = {
        "response_mode is not supported.": values.get("response_mode", RESPONSE_MODES[0]) not in RESPONSE_MODES,
        "code_challenge is malformed.": challenge is not None and not is_code_challenge(challenge),
        "code_challenge_method must be S256.": is_pkce and method not in CODE_CHALLENGE_METHODS,
        "code_challenge is missing.": is_pkce and challenge is None,
        "scope is malformed.": "scope" in values and _SCOPE.match(values["scope"]) is None,
        "prompt is malformed.": not set(prompts) <= set(PROMPTS) or ("none" in prompts and len(set(prompts)) > 1),
        "max_age is not a number of seconds.": "max_age" in values and _MAX_AGE.match(values["max_age"]) is None,
        "dpop_jkt is not a thumbprint.": "dpop_jkt" in values and _JKT.match(values["dpop_jkt"]) is None,
    }
    return next((invalid_request(fault) for fault, is_so in faults.items() if is_so), None)
