"""Consent: decides whether the person must be asked, and remembers what they allowed."""

from datetime import datetime

from authserver.authorization.interaction import Interaction
from authserver.authorization.outcomes import ConsentNeeded, Decision, RequestedAccess
from authserver.clients.by_document import is_as_allowed
from authserver.protocol.audit_name import AuditName
from authserver.protocol.authorization_request import AuthorizationRequest
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.consent import Consent, settle_by_client
from authserver.storage import Transaction, audit, consents


def find_missing_consent(interaction: Interaction) -> ConsentNeeded | OAuthError | None:
    """Check the consent: return `ConsentNeeded` if the person must be asked, an error if they refused, else None."""
    access, browser, decision = interaction.access, interaction.browser, interaction.decision
    if access is None or browser is None:
        return None
    if decision is not None and interaction.pending.asked_sid != browser.sid:
        # Another user was asked: since then, this user has signed in in another tab.
        return ConsentNeeded(access, browser)
    if decision is Decision.DENY:
        return OAuthError("access_denied", "", "the person does not allow it")
    if decision is Decision.ALLOW:
        return None
    with interaction.realm.database.read() as tx:
        return ConsentNeeded(access, browser) if must_ask(tx, access, interaction.asked, browser.user_id) else None


def must_ask(tx: Transaction, access: RequestedAccess, asked: AuthorizationRequest, user_id: str) -> bool:
    """Whether the person is asked although they may have allowed it before (ASVS 10.7.1)."""
    client = access.client
    settled = settle_by_client(client, access.redirect_uri, wants_question="consent" in asked.prompts)
    if settled is not None:
        return settled
    known = consents.find(tx, user_id, client.client_id)
    if known is None or not known.covers(frozenset(access.scope), frozenset(access.audience)):
        return True
    return not is_as_allowed(tx, client, known.granted_at)


def remember_consent(
    tx: Transaction, realm: Realm, access: RequestedAccess, user_id: str, *, ip: str, now: datetime
) -> None:
    """Store what the user has just allowed, and record it. The caller holds the user's row."""
    client_id = access.client.client_id
    earlier = consents.find(tx, user_id, client_id)
    if earlier is not None and not is_as_allowed(tx, access.client, earlier.granted_at):
        consents.forget(tx, user_id, client_id)  # it was for a client that described itself differently
    consents.remember(
        tx, Consent(user_id, client_id, frozenset(access.scope), frozenset(access.audience), granted_at=now)
    )
    audit.write(
        tx,
        AuditName.CONSENT_GRANTED,
        by=Actor(user_id, ip),
        now=now,
        entropy=realm.entropy,
        outcome="success",
        user_id=user_id,
        client_id=client_id,
        detail={"scope": " ".join(access.scope)},
    )
