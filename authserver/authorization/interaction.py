"""The interaction of a request with a person: who they are, and what they still have to do before it can be answered.

All checks run again when a request arrives and after each act of the person. No result of an earlier run is reused.
This file knows no pages; the caller gives the checks and their order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from authserver.authentication.browser_session import SignedInBrowser
from authserver.authorization.outcomes import Decision, Missing, RequestedAccess, SignInNeeded
from authserver.authorization.pending_request import CHOSE, PROVED, PendingRequest
from authserver.clock import is_recent
from authserver.jose.errors import TokenRejected
from authserver.jose.id_token import read_id_token_hint
from authserver.protocol.authorization_request import AuthorizationRequest
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.records.pseudonym import subject_identifier


@dataclass(frozen=True, slots=True)
class Interaction:
    """The facts for one evaluation of a request.

    Attributes:
        pending: the request, with the acts done for it in this browser.
        asked: the requirements on the sign-in (`prompt`, `max_age`, hints).
        access: the access that a client asks for; None for a request of our own pages.
        browser: the user who is signed in at the browser in which the request began, if any.
        decision: the person's answer to the consent question of this request, if they have just given one.
        refusal: why the client may not make this request; None if it may.
        is_silent: whether no question may be asked (`prompt=none`).
    """

    realm: Realm
    pending: PendingRequest
    asked: AuthorizationRequest
    access: RequestedAccess | None
    browser: SignedInBrowser | None
    decision: Decision | None = None
    refusal: OAuthError | None = None
    is_silent: bool = False


Check = Callable[[Interaction], Missing | OAuthError | None]
"""The check of one step: returns what is missing, an error that ends the request, or None.

Checks run in order, up to the first result. So a check may rely on all earlier ones.
"""


def find_missing(interaction: Interaction, checks: Sequence[Check]) -> Missing | OAuthError | None:
    """Find what is missing first, or the error that ends the request; None if the request may be answered.

    A third-party client gets a refusal only while somebody is signed in, or if it allowed no questions. Otherwise a
    foreign client's errors would make this server an open redirector (RFC 9700 §4.11.2).
    """
    for check in () if _may_refuse(interaction) else checks:
        found = check(interaction)
        if found is not None:
            return found
    return interaction.refusal


def _may_refuse(interaction: Interaction) -> bool:
    if interaction.refusal is None:
        return False
    is_ours = interaction.access is None or interaction.access.client.first_party
    return is_ours or interaction.is_silent or interaction.browser is not None


def find_missing_sign_in(interaction: Interaction) -> SignInNeeded | OAuthError | None:
    """Check the sign-in: whether the person must sign in or choose an account; an error if it is the wrong user."""
    browser, asked = interaction.browser, interaction.asked
    wants_account = "create" in asked.prompts and interaction.realm.registration.open
    needed = SignInNeeded(interaction.access, wants_account=wants_account)
    if browser is None:
        return needed
    is_proved = interaction.pending.has_done(PROVED, browser.sid)
    if not _is_meant(interaction, browser):
        # After a sign-in as the wrong user, asking again might never end (OIDC Core §3.1.2.2).
        return OAuthError("login_required", "", "another user is meant") if is_proved else needed
    if is_proved:
        return None
    if not asked.prompts.isdisjoint({"login", "create"}) or _is_too_long_ago(interaction, browser):
        return needed
    if "select_account" in asked.prompts and not interaction.pending.has_done(CHOSE, browser.sid):
        return SignInNeeded(interaction.access, may_choose=True)
    return None


def _is_too_long_ago(interaction: Interaction, browser: SignedInBrowser) -> bool:
    max_age, now = interaction.asked.max_age, interaction.realm.clock.seconds()
    # `max_age` 0 accepts no earlier sign-in, not even one of this second or from a node whose clock is ahead.
    return max_age is not None and (max_age == 0 or not is_recent(browser.session.auth_time.timestamp(), now, max_age))


def _is_meant(interaction: Interaction, browser: SignedInBrowser) -> bool:
    """Whether the hints of the request, if any, name the user at the browser (OpenID Connect Core §3.1.2.2)."""
    realm, asked, access = interaction.realm, interaction.asked, interaction.access
    if access is None:
        return True
    sub = subject_identifier(access.client, browser.user_id)
    if asked.claims.sub not in {None, sub}:
        return False
    if asked.id_token_hint is None:
        return True
    find_key = realm.keyring.current.find_verification_key
    try:
        return read_id_token_hint(asked.id_token_hint, find_key=find_key, issuer=realm.issuer).sub == sub
    except TokenRejected:
        return False
