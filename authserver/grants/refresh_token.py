"""`grant_type=refresh_token` (RFC 6749 §6, RFC 9700 §4.14): exchanges a refresh token for its successor.

A forged token is refused without a query. Then one statement rotates the family, or changes nothing. Only if it changed
nothing, `refusal` reads the family and finds the reason.
"""

from authserver.grants.base import TokenRequest
from authserver.grants.refusal import settle
from authserver.protocol.oauth_error import OAuthError, invalid_grant, invalid_request, unavailable
from authserver.protocol.refresh_token import Malformed, RefreshToken, UnknownMacKey
from authserver.realm import Realm
from authserver.records.session import first_end
from authserver.sessions.lifetimes import rest_end
from authserver.sessions.rotation import Presented
from authserver.tokens.allowance import find_allowance
from authserver.tokens.proof import EndedMacKey, prove_refresh_token
from authserver.tokens.token_answer import Holding, Narrowing, TokenAnswer, issue_tokens

_MOST_ASKED = 50
"""The limit of scope tokens, and of resources, in one request. The statement is compiled for each number of them."""


class RefreshTokenGrant:
    """Exchanges one generation of a family for the next."""

    grant_type = "refresh_token"

    def exchange(self, request: TokenRequest, realm: Realm) -> TokenAnswer | OAuthError:
        """See `GrantHandler.exchange`."""
        token = _prove(request, realm)
        if isinstance(token, OAuthError):
            return token
        presented = _read_presented(request, realm, token)
        if isinstance(presented, OAuthError):
            return presented
        used = request.use_proof(realm)
        if used is not None:
            return used
        now = realm.clock.now()  # before the statement: a token's `iat` is never later than the state that it describes
        mac_key = realm.keyring.current.mac_key
        lifetimes = realm.lifetimes.of_client(request.client)
        idle_expires_at = now + lifetimes.refresh_idle_lifetime
        rotated = realm.rotation.rotate(
            family_id=token.family_id,
            presented=presented,
            mac_kid=mac_key.kid,
            now=now,
            idle_expires_at=idle_expires_at,
            rests_until=rest_end(now, lifetimes.retry_windows.retry_window),
        )
        if rotated is None:
            return settle(request, realm, token.family_id, presented, now)
        ends_at = first_end(idle_expires_at, rotated.expires_at)
        holding = Holding(
            token.family_id, rotated.generation, mac_key, rotated.granted, ends_at, rotated.token_version, rotated.roles
        )
        narrowing = Narrowing(presented.scope, presented.audience)
        return issue_tokens(realm, holding, request.client, now=now, narrowing=narrowing, jkt=request.jkt)


def _prove(request: TokenRequest, realm: Realm) -> RefreshToken | OAuthError:
    text = request.parameters.get("refresh_token")
    if text is None:
        return invalid_request("refresh_token is missing.")
    match prove_refresh_token(realm, text):
        case Malformed():
            # Nothing is revoked. Otherwise anybody could sign out a victim with a made-up token.
            return invalid_grant("malformed or forged", soft_logout=False)
        case EndedMacKey(mac_kid):
            return invalid_grant(f"MAC key {mac_kid} has ended", soft_logout=True)
        case UnknownMacKey(mac_kid):
            return unavailable(f"this node does not know MAC key {mac_kid}")
        case RefreshToken() as token:
            return token


def _read_presented(request: TokenRequest, realm: Realm, token: RefreshToken) -> Presented | OAuthError:
    scope, resource = request.parameters.get("scope"), request.parameters.get("resource")
    asked = None if scope is None else frozenset(scope.split())
    audience = None if resource is None else tuple(dict.fromkeys(resource.split()))
    if len(asked or ()) > _MOST_ASKED:
        return OAuthError(
            "invalid_scope", "The scope exceeds what was granted.", "more scope tokens than any grant has"
        )
    if len(audience or ()) > _MOST_ASKED:
        return OAuthError("invalid_target", "The resource was not granted.", "more resources than any grant has")
    allowance = find_allowance(realm, request.client)
    client = request.client
    return Presented(
        token.generation, client.client_id, allowance, asked, audience, request.jkt, binds=client.kind.is_public
    )
