"""Issues authorization codes, one for each request (RFC 6749 §4.1.2)."""

from dataclasses import dataclass, field
from datetime import datetime

from authserver.authentication.browser_session import SignedInBrowser
from authserver.authentication.passwords import is_still
from authserver.authorization.consent import must_ask, remember_consent
from authserver.authorization.interaction import Interaction
from authserver.authorization.outcomes import (
    AlreadyAnswered,
    ConsentNeeded,
    Decision,
    Missing,
    RequestedAccess,
    SignInNeeded,
    Unredirectable,
)
from authserver.clients.by_document import has_too_many, store_described
from authserver.protocol.authorization_code import CODE_LIFETIME, digest_code, new_code
from authserver.protocol.oauth_error import OAuthError
from authserver.records.audit import Actor
from authserver.records.authorization_code import AuthorizationCode
from authserver.records.session import Session
from authserver.sessions.scope import grantable_scope, is_enough
from authserver.storage import Transaction, clients, codes, sessions, users


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A code that was stored and can be exchanged."""

    code: str = field(repr=False)


def issue_code(
    interaction: Interaction, access: RequestedAccess, browser: SignedInBrowser, *, ip: str
) -> IssuedCode | Missing | OAuthError | AlreadyAnswered | Unredirectable:
    """Issue a code for the user at `browser`, and remember a consent just given; or return why not."""
    realm, asked = interaction.realm, interaction.asked
    now, code = realm.clock.now(), new_code(realm.entropy)
    with realm.database.write() as tx:
        holder = _look_up(tx, interaction, access, browser, now, ip)
        if not isinstance(holder, _Holder):
            return holder
        if not codes.take_back(tx, interaction.pending.request_id):
            return AlreadyAnswered()
        if interaction.decision is Decision.ALLOW:
            remember_consent(tx, realm, access, browser.user_id, ip=ip, now=now)
        codes.add(
            tx,
            AuthorizationCode(
                code_digest=digest_code(code),
                request_id=interaction.pending.request_id,
                user_id=browser.user_id,
                sid=holder.session.sid,
                client_id=access.client.client_id,
                client_family_version=holder.family_version,
                redirect_uri=access.redirect_uri,
                code_challenge=asked.code_challenge,
                scope=holder.scope,
                audience=access.audience,
                nonce=asked.nonce,
                dpop_jkt=asked.dpop_jkt,
                auth_time=holder.session.auth_time,
                amr=holder.session.amr,
                acr=holder.session.acr,
                created_at=now,
                expires_at=now + CODE_LIFETIME,
                id_token_claims=asked.claims.id_token,
            ),
        )
    return IssuedCode(code)


@dataclass(frozen=True, slots=True)
class _Holder:
    """The session, family version and scope of a new code, as read in the transaction that issues it."""

    session: Session
    family_version: int
    scope: str


def _look_up(
    tx: Transaction, interaction: Interaction, access: RequestedAccess, browser: SignedInBrowser, now: datetime, ip: str
) -> _Holder | Missing | OAuthError | Unredirectable:
    """Read session, user, client and consent again, because they may have changed; lock the user's row."""
    user = users.lock(tx, browser.user_id)
    session = sessions.find_live(tx, browser.user_id, browser.sid, now)
    if user is None or session is None or not is_still(user, browser.user):
        return SignInNeeded(access)
    if interaction.decision is not Decision.ALLOW and must_ask(tx, access, interaction.asked, user.user_id):
        return ConsentNeeded(access, browser)
    scope = grantable_scope(access.scope, user.roles)
    if not is_enough(scope, access.scope, None):
        return OAuthError("invalid_scope", "The user may not grant this scope.", "roles")
    if has_too_many(tx, access.client, user.user_id):
        return OAuthError("access_denied", "The user has connected too many unregistered applications.", "cap")
    store_described(tx, interaction.realm, access.client, by=Actor(user.user_id, ip), now=now)
    family_version = clients.find_family_version(tx, access.client.client_id)
    if family_version is None:
        return Unredirectable("the client was disabled meanwhile")
    return _Holder(session, family_version, scope)
