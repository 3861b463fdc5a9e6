"""The interaction with a person on the way to a code or a session: who they are, and what they still have to do.

Evaluated whole each time: when a request comes, and after each thing that the person did for it. Nothing that an
earlier evaluation found is believed. Knows no page: which steps there are, and in which order, its caller says.
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
from authserver.tokens.subject import subject_identifier


@dataclass(frozen=True, slots=True)
class Interaction:
    """One evaluation: what is asked, and of whom.

    Attributes:
        pending: the request, with what was done for it in this browser.
        asked: what has to be true of the sign-in (`prompt`, `max_age`, hints).
        access: what a client asks for; None on the way to a page of ours.
        browser: who is signed in where the request began, if anybody is.
        decision: what the person has just said to this very request.
        refusal: the client may not ask for this.
        is_silent: no question may be asked (`prompt=none`).
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
"""What one step is for: what it finds missing, why the request ends here without it, or None when it is satisfied.

A check that depends on an earlier one is asked only when that is satisfied.
"""


def find_missing(interaction: Interaction, checks: Sequence[Check]) -> Missing | OAuthError | None:
    """The first thing that is missing, or the end of the request; None when it may be answered.

    A client that is not our own is told of a refusal only with somebody signed in, or where it allowed no questions:
    the errors of a stranger's client must not make us an open redirector (RFC 9700 §4.11.2).
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
    """Whether the person has to prove who they are, or to choose; the end when they are not who is meant."""
    browser, asked = interaction.browser, interaction.asked
    wants_account = "create" in asked.prompts and interaction.realm.registration.open
    needed = SignInNeeded(interaction.access, wants_account=wants_account)
    if browser is None:
        return needed
    is_proved = interaction.pending.has_done(PROVED, browser.sid)
    if not _is_meant(interaction, browser):
        # They have proved who they are, and are not who is meant: asking again would never end (OIDC Core §3.1.2.2).
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
    # An age of nothing admits nothing, not even a proof that is younger than this node's clock.
    return max_age is not None and (max_age == 0 or not is_recent(browser.session.auth_time.timestamp(), now, max_age))


def _is_meant(interaction: Interaction, browser: SignedInBrowser) -> bool:
    """Whether the request may be about the user at the browser (OpenID Connect Core §3.1.2.2)."""
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
