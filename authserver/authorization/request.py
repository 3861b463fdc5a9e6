"""Validates authorization requests (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.2).

Decides what a client may ask for. Knows no browser and no user; `interaction` checks those. Unless the redirect URI is
registered for the client, no answer may be sent to the client.
"""

from dataclasses import dataclass
from functools import partial
from typing import assert_never

from authserver.authentication.open_session import PASSWORD
from authserver.authorization.outcomes import AuthorizationAnswer, RequestedAccess, Unredirectable
from authserver.clients.by_document import find_described
from authserver.protocol.authorization_request import (
    NOTHING_ASKED,
    Address,
    AuthorizationRequest,
    Parameters,
    parse_request,
    read_address,
    read_parameters,
)
from authserver.protocol.client_metadata import PkceRule
from authserver.protocol.oauth_error import OAuthError, invalid_request
from authserver.protocol.redirect_uri import matches
from authserver.protocol.user_claims import CLAIMS_OF_SCOPE
from authserver.realm import Realm
from authserver.records.client import Client
from authserver.sessions.scope import OPENID_SCOPE, SCOPES
from authserver.tokens.new_family import choose_audience


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A request whose redirect URI is registered for its client, so that answers and errors can be sent there.

    Attributes:
        access: the client and what it asks for; scope and audience are empty in a refused request.
        asked: the requirements on the sign-in, and the values to which the code is bound.
        refusal: why the client may not make this request; None if it may.
        is_silent: whether no question may be asked (`prompt=none`).
    """

    issuer: str
    address: Address
    access: RequestedAccess
    asked: AuthorizationRequest
    refusal: OAuthError | None
    is_silent: bool

    def answer(self, parameters: dict[str, str]) -> AuthorizationAnswer:
        """Build the answer: `parameters`, the client's `state` unchanged, and `iss` (RFC 9207 §2)."""
        state = {} if self.address.state is None else {"state": self.address.state}
        return AuthorizationAnswer(
            self.access.redirect_uri, self.address.response_mode, parameters | state | {"iss": self.issuer}
        )

    def refuse(self, error: str, description: str = "") -> AuthorizationAnswer:
        """Build the answer with an error and no code (RFC 6749 §4.1.2.1)."""
        return self.answer({"error": error} | ({"error_description": description} if description else {}))


def validate_request(realm: Realm, text: str, *, is_pushed: bool = False) -> ClientRequest | Unredirectable:
    """Validate the request in `text`, a query string or an urlencoded form, from a browser or pushed by its client."""
    parameters = read_parameters(text)
    address = None if parameters is None else read_address(parameters)
    if parameters is None or address is None:
        return Unredirectable("no client is named")
    client = _find_client(realm, address)
    if isinstance(client, Unredirectable):
        return client
    values = parameters.values
    describe = partial(
        RequestedAccess,
        client,
        address.redirect_uri or "",
        login_hint=values.get("login_hint", ""),
        ui_locales=values.get("ui_locales", ""),
    )
    is_silent = "none" in values.get("prompt", "").split()
    asked = _read_asked(realm, client, parameters, is_pushed=is_pushed)
    if isinstance(asked, OAuthError):
        return ClientRequest(realm.issuer, address, describe((), ()), NOTHING_ASKED, asked, is_silent)
    request, scope, audience = asked
    return ClientRequest(realm.issuer, address, describe(scope, audience), request, None, is_silent)


def resolve_access(
    realm: Realm, client: Client, scope: tuple[str, ...] | None, resources: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]] | OAuthError:
    """Determine the scope and the audience of a request of `client`, or refuse (RFC 6749 §3.3, RFC 8707 §2).

    `scope` None asks for all that the client may have.
    """
    granted = client.scope if scope is None else _understand(scope, client)
    if not set(granted) <= set(client.scope) or (scope and not granted):
        return OAuthError("invalid_scope", "The client may not ask for this scope.", "scope")
    audience = choose_audience(realm, client, " ".join(granted), resources)
    if audience is None:
        return OAuthError("invalid_target", "The client may not ask for this resource.", "resource")
    return granted, audience


def _find_client(realm: Realm, address: Address) -> Client | Unredirectable:
    refuse = partial(Unredirectable, client_id=address.client_id, redirect_uri=address.redirect_uri or "")
    client = find_described(realm, address.client_id)
    if client is None or not client.is_enabled:
        return refuse("unknown or disabled client")
    if "authorization_code" not in client.kind.grant_types:
        return refuse("a client of this kind gets no code")
    if address.redirect_uri is None or not matches(client.redirect_uris, address.redirect_uri, client.kind):
        return refuse("redirect_uri is missing or not registered")
    return client


def _read_asked(
    realm: Realm, client: Client, parameters: Parameters, *, is_pushed: bool
) -> tuple[AuthorizationRequest, tuple[str, ...], tuple[str, ...]] | OAuthError:
    if client.require_pushed_authorization_requests and not is_pushed:
        return invalid_request("This client has to push its requests (RFC 9126).", "not pushed")
    request = parse_request(parameters)
    if isinstance(request, OAuthError):
        return request
    if request.code_challenge is None and not _may_go_without_pkce(client, request):
        return invalid_request("code_challenge is missing.")
    access = resolve_access(realm, client, _add_scope_of_claims(request, client), request.resources)
    if isinstance(access, OAuthError):
        return access
    claims = request.claims
    if claims.essential_acr and claims.acr_values and PASSWORD.acr not in claims.acr_values:
        return OAuthError("unmet_authentication_requirements", "This server does not support this acr.", "acr")
    return request, *access


def _may_go_without_pkce(client: Client, request: AuthorizationRequest) -> bool:
    """Whether a `nonce` in an ID token protects the code instead (OAuth 2.1 §7.5.1), or the operator waived both.

    Never for a public client.
    """
    if client.kind.is_public:
        return False
    match client.pkce:
        case PkceRule.REQUIRED:
            return False
        case PkceRule.OPTIONAL:
            is_openid = OPENID_SCOPE in (client.scope if request.scope is None else request.scope)
            return request.nonce is not None and is_openid
        case PkceRule.WAIVED:
            return True
        case _:
            assert_never(client.pkce)


def _add_scope_of_claims(request: AuthorizationRequest, client: Client) -> tuple[str, ...] | None:
    """Add the scopes that allow the claims asked for by name, so that the user is asked for them, too.

    Claims of a scope that the client may not ask for are ignored, like unknown ones (OpenID Connect Core §5.5).
    """
    if request.scope is None or OPENID_SCOPE not in request.scope:
        return request.scope
    asked = request.claims.userinfo | request.claims.id_token
    behind = [scope for scope, names in CLAIMS_OF_SCOPE.items() if not asked.isdisjoint(names)]
    return tuple(dict.fromkeys((*request.scope, *(scope for scope in behind if scope in client.scope))))


def _understand(asked: tuple[str, ...], client: Client) -> tuple[str, ...]:
    """Drop unknown scope values, which must be ignored (OpenID Connect Core §3.1.2.1)."""
    return tuple(token for token in asked if token in client.scope or token in SCOPES)
