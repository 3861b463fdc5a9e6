"""What an authorization request comes to (RFC 6749 §4.1, OpenID Connect Core §3.1.2).

Evaluated whole each time: when it comes, after the sign-in, after the consent. Nothing that an earlier evaluation
found is believed. As long as client and redirect URI are not known to belong together nobody is redirected, and to a
client that is not our own only with somebody signed in, so that we are no open redirector (RFC 9700 §4.11.2).
"""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial

from authserver.authentication.browser_session import SignedInBrowser
from authserver.authentication.open_session import PASSWORD
from authserver.authentication.passwords import is_still
from authserver.authorization.authorization_outcomes import (
    AlreadyAnswered,
    AuthorizationAnswer,
    ConsentNeeded,
    Decision,
    Outcome,
    SignInNeeded,
    Unredirectable,
    Wish,
)
from authserver.authorization.pending_request import PendingRequest
from authserver.clock import is_recent
from authserver.jose.errors import TokenRejected
from authserver.jose.id_token import read_id_token_hint
from authserver.protocol.audit_name import AuditName
from authserver.protocol.authorization_code import CODE_LIFETIME, digest_code, new_code
from authserver.protocol.authorization_request import (
    Address,
    AuthorizationRequest,
    Parameters,
    parse_request,
    read_address,
    read_parameters,
)
from authserver.protocol.client_metadata import ClientKind, ConsentRule
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.redirect_uri import matches
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.authorization_code import AuthorizationCode
from authserver.records.client import Client
from authserver.records.consent import Consent
from authserver.records.user import User
from authserver.sessions.scope import SCOPES, grantable_scope, is_enough
from authserver.storage import Transaction, audit, clients, codes, consents, sessions, users
from authserver.tokens.new_family import choose_audience
from authserver.tokens.subject import name_subject

_Step = dict[str, str] | SignInNeeded | ConsentNeeded | AlreadyAnswered | Unredirectable
"""What the client is to be told, what the person has to do first, or why nobody is told anything."""


def authorize(
    realm: Realm,
    pending: PendingRequest,
    browser: SignedInBrowser | None,
    *,
    ip: str,
    decision: Decision | None = None,
) -> Outcome:
    """Evaluate `pending` for who sits at the browser. `decision` is what he has just said to this very request."""
    found = _find_client(realm, pending)
    if isinstance(found, Unredirectable):
        return found
    reply = _Reply(realm.issuer, found.address)
    asked = _read_asked(realm, found)
    if isinstance(asked, OAuthError):
        return _refuse(reply, found, asked, browser)
    is_silent = "none" in asked.request.prompts
    match _go_on(realm, pending, asked, browser, decision, ip):
        case SignInNeeded() if is_silent:
            return reply.refuse("login_required")
        case ConsentNeeded() if is_silent:
            return reply.refuse("consent_required")
        case dict() as said:
            return reply.send(said)
        case outcome:
            return outcome


def _go_on(
    realm: Realm,
    pending: PendingRequest,
    asked: "_Asked",
    browser: SignedInBrowser | None,
    decision: Decision | None,
    ip: str,
) -> _Step:
    """What the client is to be told, or what the person has to do first."""
    needed = _find_missing_proof(realm, pending, asked, browser)
    if needed is _Missing.NOBODY:
        return {"error": "login_required"}
    if needed is not None or browser is None:
        wants_account = "create" in asked.request.prompts
        return SignInNeeded(asked.wish, may_choose=needed is _Missing.CHOICE, wants_account=wants_account)
    if decision is not None and pending.chosen_sid != browser.sid:
        # Somebody else was asked: in another tab another user has signed in since.
        return ConsentNeeded(asked.wish)
    if decision is Decision.DENY:
        return {"error": "access_denied"}
    if decision is None:
        with realm.database.read() as tx:
            if _must_ask(tx, asked, browser.user_id):
                return ConsentNeeded(asked.wish)
    return _issue_code(realm, pending, asked, browser, remembers=decision is Decision.ALLOW, ip=ip)


@dataclass(frozen=True, slots=True)
class _Found:
    """A client and a redirect URI that belong together: from here on the client can be told."""

    parameters: Parameters
    address: Address
    client: Client


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that the client may make."""

    request: AuthorizationRequest
    wish: Wish


@dataclass(frozen=True, slots=True)
class _Reply:
    """How this request is answered: `state` whole, and `iss` in every answer (RFC 9207 §2)."""

    issuer: str
    address: Address

    def send(self, parameters: dict[str, str]) -> AuthorizationAnswer:
        state = {} if self.address.state is None else {"state": self.address.state}
        return AuthorizationAnswer(
            self.address.redirect_uri or "", self.address.response_mode, parameters | state | {"iss": self.issuer}
        )

    def refuse(self, error: str, description: str = "") -> AuthorizationAnswer:
        return self.send({"error": error} | ({"error_description": description} if description else {}))


class _Missing(Enum):
    PROOF = "proof"
    CHOICE = "choice"
    NOBODY = "nobody"
    """He has proved who he is, and is not who is meant: asking again would never end (OIDC Core §3.1.2.2)."""


def _find_client(realm: Realm, pending: PendingRequest) -> _Found | Unredirectable:
    parameters = read_parameters(pending.text)
    address = None if parameters is None else read_address(parameters)
    if parameters is None or address is None:
        return Unredirectable("no client is named")
    refuse = partial(Unredirectable, client_id=address.client_id, redirect_uri=address.redirect_uri or "")
    client = realm.clients.find(address.client_id)
    if client is None or client.disabled_at is not None:
        return refuse("unknown or disabled client")
    if "authorization_code" not in client.kind.grant_types:
        return refuse("a client of this kind gets no code")
    if address.redirect_uri is None or not matches(client.redirect_uris, address.redirect_uri, client.kind):
        return refuse("redirect_uri is missing or not registered")
    return _Found(parameters, address, client)


def _read_asked(realm: Realm, found: _Found) -> _Asked | OAuthError:
    request, client = parse_request(found.parameters), found.client
    if isinstance(request, OAuthError):
        return request
    scope = client.scope if request.scope is None else _understand(request.scope, client)
    if not set(scope) <= set(client.scope) or (request.scope and not scope):
        return OAuthError("invalid_scope", "The client may not ask for this scope.", "scope")
    audience = choose_audience(realm, client, " ".join(scope), request.resources)
    if audience is None:
        return OAuthError("invalid_target", "The client may not ask for this resource.", "resource")
    claims = request.claims
    if claims.essential_acr and claims.acr_values and PASSWORD.acr not in claims.acr_values:
        return OAuthError("unmet_authentication_requirements", "This server does not support this acr.", "acr")
    return _Asked(request, _show(found, scope, audience))


def _understand(asked: tuple[str, ...], client: Client) -> tuple[str, ...]:
    """What of the asked scope has a meaning here; the rest is ignored (OpenID Connect Core §3.1.2.1)."""
    return tuple(token for token in asked if token in client.scope or token in SCOPES)


def _show(found: _Found, scope: tuple[str, ...] = (), audience: tuple[str, ...] = ()) -> Wish:
    values = found.parameters.values
    return Wish(
        client=found.client,
        redirect_uri=found.address.redirect_uri or "",
        scope=scope,
        audience=audience,
        login_hint=values.get("login_hint", ""),
        ui_locales=values.get("ui_locales", ""),
    )


def _refuse(reply: _Reply, found: _Found, refusal: OAuthError, browser: SignedInBrowser | None) -> Outcome:
    """Tell the client; where it is not our own, only with somebody signed in (RFC 9700 §4.11.2)."""
    is_silent = "none" in found.parameters.values.get("prompt", "").split()
    if browser is None and not found.client.first_party and not is_silent:
        return SignInNeeded(_show(found))
    return reply.refuse(refusal.error, refusal.description)


def _find_missing_proof(
    realm: Realm, pending: PendingRequest, asked: _Asked, browser: SignedInBrowser | None
) -> _Missing | None:
    """What the person has to do before the request can go on; None when he has done it."""
    if browser is None:
        return _Missing.PROOF
    auth_time, now = browser.session.auth_time.timestamp(), realm.clock.seconds()
    is_proved = browser.session.auth_time >= pending.began_at and is_recent(auth_time, now, math.inf)
    if not _is_meant(realm, asked, browser):
        return _Missing.NOBODY if is_proved else _Missing.PROOF
    if is_proved:
        return None
    request = asked.request
    if not request.prompts.isdisjoint({"login", "create"}) or _is_too_long_ago(request.max_age, auth_time, now):
        return _Missing.PROOF
    if "select_account" in request.prompts and pending.chosen_sid != browser.sid:
        return _Missing.CHOICE
    return None


def _is_too_long_ago(max_age: int | None, auth_time: float, now: float) -> bool:
    # An age of nothing admits nothing, not even a proof that is younger than this node's clock.
    return max_age is not None and (max_age == 0 or not is_recent(auth_time, now, max_age))


def _is_meant(realm: Realm, asked: _Asked, browser: SignedInBrowser) -> bool:
    """Whether the request may be about the user at the browser (OpenID Connect Core §3.1.2.2)."""
    request, sub = asked.request, name_subject(asked.wish.client, browser.user_id)
    if request.claims.sub not in {None, sub}:
        return False
    if request.id_token_hint is None:
        return True
    find_key = realm.keyring.current.find_verification_key
    try:
        return read_id_token_hint(request.id_token_hint, find_key=find_key, issuer=realm.issuer).sub == sub
    except TokenRejected:
        return False


def _must_ask(tx: Transaction, asked: _Asked, user_id: str) -> bool:
    """Whether the person is asked although he may have allowed it before (RFC 8252 §8.6, ASVS 10.7.1)."""
    wish, client = asked.wish, asked.wish.client
    # Whoever listens at another port than the registered one may be any program on this machine.
    may_be_another = client.kind is ClientKind.NATIVE or wish.redirect_uri not in client.redirect_uris
    if may_be_another or client.consent is ConsentRule.ALWAYS or "consent" in asked.request.prompts:
        return True
    if client.consent is ConsentRule.NEVER:
        return False
    known = consents.find(tx, user_id, client.client_id)
    return known is None or not known.covers(frozenset(wish.scope), frozenset(wish.audience))


def _issue_code(
    realm: Realm, pending: PendingRequest, asked: _Asked, browser: SignedInBrowser, *, remembers: bool, ip: str
) -> _Step:
    """A code, unless session, user, client or consent is no longer what it was when it was looked up."""
    now, wish, client = realm.clock.now(), asked.wish, asked.wish.client
    code = new_code(realm.entropy)
    with realm.database.write() as tx:
        user = users.lock(tx, browser.user_id)
        session = sessions.find_live(tx, browser.user_id, browser.sid, now)
        if user is None or session is None or not is_still(user, browser.user):
            return SignInNeeded(wish)
        family_version = clients.find_family_version(tx, client.client_id)
        if family_version is None:
            return Unredirectable("the client was disabled meanwhile")
        if not remembers and _must_ask(tx, asked, user.user_id):
            return ConsentNeeded(wish)
        scope = grantable_scope(wish.scope, user.roles)
        if not is_enough(scope, wish.scope, None):
            return {"error": "invalid_scope", "error_description": "The user may not grant this scope."}
        if not codes.take_back(tx, pending.request_id):
            return AlreadyAnswered()
        if remembers:
            _remember(tx, realm, wish, user, ip, now)
        codes.add(
            tx,
            AuthorizationCode(
                code_digest=digest_code(code),
                request_id=pending.request_id,
                user_id=user.user_id,
                sid=session.sid,
                client_id=client.client_id,
                client_family_version=family_version,
                redirect_uri=wish.redirect_uri,
                code_challenge=asked.request.code_challenge,
                scope=scope,
                audience=wish.audience,
                nonce=asked.request.nonce,
                auth_time=session.auth_time,
                amr=session.amr,
                acr=session.acr,
                created_at=now,
                expires_at=now + CODE_LIFETIME,
            ),
        )
    return {"code": code}


def _remember(tx: Transaction, realm: Realm, wish: Wish, user: User, ip: str, now: datetime) -> None:
    client_id = wish.client.client_id
    consents.remember(
        tx, Consent(user.user_id, client_id, frozenset(wish.scope), frozenset(wish.audience), granted_at=now)
    )
    audit.write(
        tx,
        AuditName.CONSENT_GRANTED,
        by=Actor(user.user_id, ip),
        now=now,
        entropy=realm.entropy,
        outcome="success",
        user_id=user.user_id,
        client_id=client_id,
        detail={"scope": " ".join(wish.scope)},
    )
