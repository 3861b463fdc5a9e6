"""Decides about a client's request to end the session of a browser (OpenID Connect RP-Initiated Logout 1.0).

Any page can send a browser here with any parameters, so a request alone ends nothing (ASVS 10.6.2). Only an ID token of
the session at this browser does, which no foreign page has. In all other cases, a signed-in user is asked.
"""

from dataclasses import dataclass, field

from authserver.authentication.browser_session import SignedInBrowser
from authserver.jose.errors import TokenRejected
from authserver.jose.id_token import IdTokenHint, read_id_token_hint
from authserver.jose.jws import FindKey
from authserver.protocol.limits import SIGN_OUT_GRACE
from authserver.protocol.redirect_uri import matches
from authserver.realm import Realm
from authserver.records.client import Client
from authserver.records.pseudonym import session_identifier, subject_identifier


@dataclass(frozen=True, slots=True)
class EndSessionRequest:
    """The parameters of the request (§2). NOT checked: any of them."""

    id_token_hint: str | None = field(default=None, repr=False)
    client_id: str | None = None
    post_logout_redirect_uri: str | None = None


@dataclass(frozen=True, slots=True)
class EndSessionPlan:
    """The decision about a request.

    Attributes:
        client: the client that asks; None if it is unknown, disabled, or not certain.
        redirect_uri: where to send the browser afterwards; None unless that client registered it.
        needs_asking: whether the person must confirm that their session ends.
    """

    client: Client | None
    redirect_uri: str | None
    needs_asking: bool


def plan_end_session(realm: Realm, asked: EndSessionRequest, browser: SignedInBrowser | None) -> EndSessionPlan:
    """Decide about `asked`, for the user who is signed in at `browser`. Ends nothing."""
    hint = _read_hint(realm, asked.id_token_hint)
    client = _find_client(realm, asked, hint)
    uri = asked.post_logout_redirect_uri
    may_redirect = (
        client is not None and uri is not None and matches(client.post_logout_redirect_uris, uri, client.kind)
    )
    return EndSessionPlan(
        client,
        redirect_uri=uri if may_redirect else None,
        needs_asking=browser is not None and not _names(hint, client, browser),
    )


def _read_hint(realm: Realm, text: str | None) -> IdTokenHint | None:
    if text is None:
        return None
    try:
        return read_id_token_hint(text, find_key=_find_key(realm), issuer=realm.issuer)
    except TokenRejected:
        return None


def _find_key(realm: Realm) -> FindKey:
    """The key lookup for hints. It accepts recently retired keys, because no newer ID token of a session may exist."""
    keyring, retired_after = realm.keyring.current, realm.clock.now() - SIGN_OUT_GRACE
    return lambda kid: keyring.find_sign_out_key(kid, retired_after=retired_after)


def _find_client(realm: Realm, asked: EndSessionRequest, hint: IdTokenHint | None) -> Client | None:
    """Find the client that asks; None if the hint is invalid or is for a client other than `client_id` (§2)."""
    if asked.id_token_hint is None:
        client_id = asked.client_id
    elif hint is None or asked.client_id not in {None, hint.aud}:
        return None
    else:
        client_id = hint.aud
    return None if client_id is None else realm.clients.find_enabled(client_id)


def _names(hint: IdTokenHint | None, client: Client | None, browser: SignedInBrowser) -> bool:
    """Whether the client is known, and its hint is about this session and user."""
    if hint is None or client is None:
        return False
    is_session = hint.sid in {browser.sid, session_identifier(client, browser.sid)}  # the former: an earlier release
    return is_session and hint.sub == subject_identifier(client, browser.user_id)
