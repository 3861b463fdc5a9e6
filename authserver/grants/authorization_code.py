"""`grant_type=authorization_code` (RFC 6749 §4.1.3, OAuth 2.1 §4.1.3): exchanges a code for tokens.

A code shown by the wrong client, with the wrong redirect URI or with the wrong verifier is refused and revokes nothing.
Otherwise an attacker who saw a code could end its owner's tokens. A second valid use proves that the code and all its
secrets have leaked, so the family of the first use ends (RFC 9700 §4.5).
"""

from dataclasses import dataclass, field
from datetime import datetime

from authserver.grants.base import TokenRequest
from authserver.protocol.authorization_code import digest_code
from authserver.protocol.client_metadata import PkceRule
from authserver.protocol.oauth_error import OAuthError, invalid_request
from authserver.protocol.pkce import proves
from authserver.realm import Realm
from authserver.records.authorization_code import AuthorizationCode, CodeUse
from authserver.records.user import Standing
from authserver.sessions.scope import OFFLINE_SCOPE, Lost, find_loss
from authserver.storage import Transaction, clients, codes, families, sessions, users
from authserver.tokens.allowance import find_allowance
from authserver.tokens.new_family import AccessToGrant, begin_family
from authserver.tokens.token_answer import AccessAnswer, Holding, Narrowing, OpenIdRequest, issue_access, issue_tokens

MOST_FAMILIES = 20
"""The limit of live families of one client in one session; the least recently used one ends.

A client has several when each of its tabs asks for a code.
"""


@dataclass(frozen=True, slots=True)
class _Shown:
    code: str = field(repr=False)
    redirect_uri: str | None
    code_verifier: str | None = field(repr=False)


class AuthorizationCodeGrant:
    """Exchanges a code for tokens, and begins a refresh token family."""

    grant_type = "authorization_code"

    def exchange(self, request: TokenRequest, realm: Realm) -> AccessAnswer | OAuthError:
        """See `GrantHandler.exchange`."""
        shown = _read(request)
        if isinstance(shown, OAuthError):
            return shown
        with realm.database.read() as tx:
            code = codes.find(tx, digest_code(shown.code))
        if code is None or not _fits(code, shown, request):
            return _refuse("unknown code, or wrong client, redirect_uri, verifier or key")
        used = request.use_proof(realm)
        if used is not None:
            return used
        audience = tuple(request.parameters.get("resource", "").split()) or None
        if audience is not None and not set(audience) <= set(code.audience):
            return OAuthError("invalid_target", "The resource was not granted.", "resource")
        now, narrowing = realm.clock.now(), Narrowing(audience=audience)
        offline = request.client.offline_access or OFFLINE_SCOPE in {*code.scope.split()} & {*request.client.scope}
        with realm.database.write() as tx:
            holding = _redeem(tx, realm, code, request, narrowing, now, offline=offline)
        if isinstance(holding, OAuthError):
            return holding
        issue = issue_tokens if offline else issue_access
        openid = OpenIdRequest(code.nonce, code.id_token_claims)
        return issue(realm, holding, request.client, now=now, narrowing=narrowing, openid=openid, jkt=request.jkt)


def _read(request: TokenRequest) -> _Shown | OAuthError:
    parameters = request.parameters
    needed = ("code", "code_verifier") if request.client.pkce is PkceRule.REQUIRED else ("code",)
    for name in needed:
        if name not in parameters:
            return invalid_request(f"{name} is missing.")
    return _Shown(parameters["code"], parameters.get("redirect_uri"), parameters.get("code_verifier"))


def _fits(code: AuthorizationCode, shown: _Shown, request: TokenRequest) -> bool:
    """Whether the code was made for this client, this redirect URI, the secret behind this verifier, and this key."""
    return (
        code.client_id == request.client.client_id
        and _fits_redirect(code, shown.redirect_uri)
        and _fits_verifier(code.code_challenge, shown.code_verifier)
        and code.dpop_jkt in {None, request.jkt}
    )


def _fits_redirect(code: AuthorizationCode, redirect_uri: str | None) -> bool:
    """A challenge makes the parameter superfluous (OAuth 2.1 §10.2); without one it is needed (RFC 6749 §4.1.3)."""
    return code.code_challenge is not None if redirect_uri is None else code.redirect_uri == redirect_uri


def _fits_verifier(code_challenge: str | None, code_verifier: str | None) -> bool:
    """Whether both or none are there. A verifier alone: the challenge was cut off on the way (RFC 9700 §4.8.2)."""
    if code_challenge is None or code_verifier is None:
        return code_challenge is code_verifier
    return proves(code_verifier, code_challenge)


def _redeem(
    tx: Transaction,
    realm: Realm,
    found: AuthorizationCode,
    request: TokenRequest,
    narrowing: Narrowing,
    now: datetime,
    *,
    offline: bool,
) -> Holding | OAuthError:
    """Use up the code and begin the family. Of several parallel requests, one succeeds."""
    user = users.lock(tx, found.user_id)
    code = codes.find(tx, found.code_digest)
    if code is None or user is None or user.standing is not Standing.ACTIVE:
        return _refuse("ended meanwhile")
    if code.use is not None:
        return _end_what_it_gave(tx, realm, code.use, request, now)
    session = sessions.find_live(tx, code.user_id, code.sid, now)
    family_version = clients.find_family_version(tx, code.client_id)
    if now >= code.expires_at or session is None or family_version != code.client_family_version:
        return _refuse("expired, or its session or client has ended")
    lost = _find_loss(realm, code, request, narrowing, user.roles)
    if lost is not None:
        return lost
    granted = AccessToGrant(
        code.scope,
        code.audience,
        code.auth_time,
        code.client_family_version,
        offline=offline,
        jkt=request.refresh_jkt,
    )
    holding = begin_family(tx, realm, user=user, session=session, client=request.client, granted=granted, now=now)
    codes.use(tx, code.code_digest, CodeUse(now, holding.granted.fam))
    for family in families.list_excess(tx, session.sid, code.client_id, MOST_FAMILIES):
        realm.revocation.end_family(tx, family, reason="family_cap", soft_logout=True, by=request.actor, now=now)
    return holding


def _find_loss(
    realm: Realm, code: AuthorizationCode, request: TokenRequest, narrowing: Narrowing, roles: tuple[str, ...]
) -> OAuthError | None:
    """Find why no token can be issued: the client or the user has lost the access since the code was issued."""
    allowance = find_allowance(realm, request.client)
    match find_loss(code.scope, code.audience, allowance, roles, asked_audience=narrowing.audience):
        case None:
            return None
        case Lost.SCOPE:
            return OAuthError("invalid_scope", "None of the granted scopes can be issued any more.", "scope lost")
        case Lost.AUDIENCE:
            return OAuthError("invalid_target", "The resource is no longer granted.", "audience lost")


def _end_what_it_gave(tx: Transaction, realm: Realm, use: CodeUse, request: TokenRequest, now: datetime) -> OAuthError:
    family = families.find_by_fam(tx, use.fam)
    if family is not None and family.ended is None:
        by = request.actor
        realm.revocation.end_family(tx, family, reason="code_used_twice", soft_logout=False, by=by, now=now)
    return _refuse("used twice")


def _refuse(reason: str) -> OAuthError:
    return OAuthError("invalid_grant", "The authorization code is not valid.", reason)
